import { configCommand } from "./config/config-command.ts";
import { ConfigError } from "./config/config-error.ts";
import { readConfig } from "./config/read-config.ts";
import { usage } from "./config/usage.ts";
import { EXIT_CONFIG, EXIT_UNAVAILABLE, EXIT_USAGE, ExitError } from "./exit-status.ts";

const NODE_MAJOR_MIN = 24;

await main();

async function main(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN)
    return fail(
      EXIT_UNAVAILABLE,
      `Parley needs Node ${NODE_MAJOR_MIN} or newer (this is ${process.version}): npm ci brings it, and npm start uses it`,
    );
  try {
    await obey(process.argv.slice(2));
  } catch (cause) {
    if (cause instanceof ConfigError)
      fail(
        cause.isUsage ? EXIT_USAGE : EXIT_CONFIG,
        `${cause.message}\n(--help lists the options; config check looks at the rest too)`,
      );
    else if (cause instanceof ExitError) fail(cause.status, cause.message);
    else throw cause;
  }
}

/** The first word names what is to be done; without one it is the server. Loads what that needs, and no more. */
async function obey(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args[0]?.startsWith("-") === false ? args : ["serve", ...args];
  switch (command) {
    case "serve": {
      const read = readConfig(rest, process.env);
      if (read === "help") return printUsage();
      const { serve } = await import("./serve.ts");
      return serve(read.config);
    }
    case "config": {
      const printed = configCommand(rest, process.env);
      if (printed === "help") return printUsage();
      process.stdout.write(printed.output);
      process.exitCode = printed.status;
      return undefined;
    }
    case "doctor": {
      const { doctorCommand } = await import("./doctor/doctor-command.ts");
      const status = await doctorCommand(rest, process.env, (text) => process.stdout.write(text));
      if (status === "help") return printUsage();
      process.exitCode = status;
      return undefined;
    }
    default:
      return fail(EXIT_USAGE, `${command} is none of serve, config, doctor\n\n${usage()}`);
  }
}

function printUsage(): void {
  process.stdout.write(usage());
}

function fail(code: number, message: string): void {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
