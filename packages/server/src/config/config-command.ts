import { EXIT_CONFIG, EXIT_USAGE } from "../exit-status.ts";
import { ConfigError } from "./config-error.ts";
import { configurationDocs } from "./configuration-docs.ts";
import { defaultToml, tomlLine } from "./default-toml.ts";
import { nearestName } from "./nearest-name.ts";
import { type ReadConfig, readConfig } from "./read-config.ts";
import type { Environment } from "./read-environment.ts";
import { SCHEMA } from "./schema.ts";
import { nameOf, type Setting, valueAt } from "./setting.ts";

const COMMANDS = ["check", "default", "show", "docs"] as const;

export interface Printed {
  readonly status: number;
  readonly output: string;
}

/** `config check|default|show|docs`. "help": it was asked for. Throws a `ConfigError`, but for what `check` prints. */
export function configCommand(args: readonly string[], env: Environment): Printed | "help" {
  const [word = "", ...rest] = args;
  if ([word, rest[0]].some((each) => each === "--help" || each === "-h")) return "help";
  const command = COMMANDS.find((each) => each === word);
  switch (command) {
    case "check":
      return checked(rest, env);
    case "show": {
      const read = readConfig(rest, env, JSON_SWITCH);
      return read === "help" ? "help" : done(shown(read));
    }
    case "default":
    case "docs":
      if (rest[0] !== undefined) throw wrongUsage(rest[0], `config ${command} takes nothing`);
      return done(command === "default" ? defaultToml() : configurationDocs());
    case undefined: {
      const nearest = nearestName(word, COMMANDS);
      const guess = nearest === undefined ? "" : `; ${nearest}?`;
      throw wrongUsage(`config ${word}`.trim(), `takes one of ${COMMANDS.join(", ")}${guess}`);
    }
  }
}

const JSON_SWITCH = { json: "switch" } as const;

const done = (output: string): Printed => ({ status: 0, output });

function wrongUsage(where: string, says: string): ConfigError {
  return new ConfigError([{ where, says, isUsage: true }]);
}

function checked(args: readonly string[], env: Environment): Printed | "help" {
  const asJson = args.includes("--json");
  try {
    const read = readConfig(args, env, JSON_SWITCH);
    if (read === "help") return "help";
    return done(asJson ? jsonLine({ file: read.file ?? null, problems: [] }) : rightText(read));
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    const problems = cause.problems.map(({ where, says }) => ({ where, says }));
    const output = asJson ? jsonLine({ problems }) : `${cause.message}\n`;
    return { status: cause.isUsage ? EXIT_USAGE : EXIT_CONFIG, output };
  }
}

const jsonLine = (value: object) => `${JSON.stringify(value)}\n`;

function rightText({ file = "no file", said }: ReadConfig): string {
  return `ok: ${file}; ${said.size} of ${SCHEMA.length} settings are said, the others are at their defaults\n`;
}

/** A line of TOML each, so that it can be copied, with where it comes from behind. */
function shown(read: ReadConfig): string {
  if (read.extras.has("json")) return SCHEMA.map((each) => jsonLine(asObject(read, each))).join("");
  const lines: string[] = [];
  let section = "";
  for (const setting of SCHEMA) {
    if (setting.section !== section)
      lines.push(`${lines.length === 0 ? "" : "\n"}[${setting.section}]`);
    section = setting.section;
    const line = tomlLine(setting, valueToShow(read, setting));
    lines.push(`${line.padEnd(40)} # ${sourceOf(read, setting)}`);
  }
  return `${lines.join("\n")}\n`;
}

function asObject(read: ReadConfig, setting: Setting): object {
  return {
    name: nameOf(setting),
    value: valueToShow(read, setting),
    from: sourceOf(read, setting),
  };
}

function valueToShow({ config, said }: ReadConfig, setting: Setting): unknown {
  if (setting.isSecret && said.has(nameOf(setting))) return "(secret)";
  return valueAt(config, setting);
}

function sourceOf({ said }: ReadConfig, setting: Setting): string {
  const { where } = said.get(nameOf(setting)) ?? {};
  if (where !== undefined) return where;
  return setting.defaultSays === undefined ? "default" : `default: ${setting.defaultSays}`;
}
