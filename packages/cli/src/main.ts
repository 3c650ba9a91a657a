import { CommanderError } from "commander";
import { exitStatusOf } from "./exit-status.ts";
import { flushed } from "./flushed.ts";
import { program } from "./program.ts";
import { neutraliseLine } from "./terminal/neutralise.ts";

// The reader went away (`| head`): nobody is left to tell.
process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
  process.exit(cause.code === "EPIPE" ? 0 : 74);
});

try {
  await program().parseAsync();
  await flushed();
  process.exit();
} catch (cause) {
  const status = exitStatusOf(cause);
  // Commander has told already what it refuses.
  if (!(cause instanceof CommanderError)) tell(cause);
  await flushed();
  process.exit(status);
}

function tell(cause: unknown): void {
  const message = cause instanceof Error ? cause.message : String(cause);
  console.error(`parley: ${neutraliseLine(message)}`);
  if (process.env["PARLEY_DEBUG"]) console.error(cause);
}
