import { readFileSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import type { Problem } from "./config-error.ts";
import { nearestName } from "./nearest-name.ts";
import type { Said } from "./said.ts";
import { nameOf, type Setting } from "./setting.ts";
import { tomlLines } from "./toml-lines.ts";

/** What a TOML file says, and all that is unknown in it. */
export function readConfigFile(path: string, schema: readonly Setting[]): FileSaid {
  try {
    return readToml(readFileSync(path, "utf8"), path, schema);
  } catch (cause) {
    const says = `cannot be read: ${(cause as Error).message}`;
    return { said: [], problems: [{ where: path, says, isUsage: false }] };
  }
}

export interface FileSaid {
  readonly said: readonly Said[];
  readonly problems: readonly Problem[];
}

/** `file` is only what it is called in what is said of it. */
export function readToml(toml: string, file: string, schema: readonly Setting[]): FileSaid {
  const said: Said[] = [];
  const problems: Problem[] = [];
  const lines = tomlLines(toml);
  const placeOf = (name: string) => (lines.has(name) ? `${file}:${lines.get(name)}` : file);
  const settings = new Map(schema.map((each) => [nameOf(each), each]));
  const refuse = (name: string, says: string) =>
    problems.push({ where: placeOf(name), says, isUsage: false });
  let tables: Record<string, unknown>;
  try {
    tables = parse(toml);
  } catch (cause) {
    return { said, problems: [notToml(cause, file)] };
  }
  for (const [section, table] of Object.entries(tables)) {
    const keys = schema.filter((each) => each.section === section).map(({ key }) => key);
    if (keys.length === 0) refuse(section, unknownSection(section, table, schema));
    else if (!isTable(table)) refuse(section, `[${section}] is a table of settings`);
    else
      for (const [key, value] of Object.entries(table)) {
        const name = `${section}.${key}`;
        const setting = settings.get(name);
        const where = lines.has(name) ? placeOf(name) : placeOf(section);
        if (setting === undefined)
          problems.push({ where, says: unknownKey(name, keys, schema), isUsage: false });
        else said.push({ setting, value, where, source: "file" });
      }
  }
  return { said, problems };
}

/** An array and a date are objects too. */
function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
}

function notToml(cause: unknown, file: string): Problem {
  if (!(cause instanceof TomlError)) throw cause;
  const [says = "this is not TOML"] = cause.message.split("\n");
  return { where: `${file}:${cause.line}:${cause.column}`, says, isUsage: false };
}

function unknownSection(section: string, table: unknown, schema: readonly Setting[]): string {
  // `port = 80` above every table.
  const inTable = schema.find(({ key }) => key === section);
  if (!isTable(table) && inTable !== undefined)
    return `${section} stands under [${inTable.section}]`;
  const nearest = nearestName(section, [...new Set(schema.map((each) => each.section))]);
  return `there is no [${section}]${nearest === undefined ? "" : `; [${nearest}]?`}`;
}

function unknownKey(name: string, keys: readonly string[], schema: readonly Setting[]): string {
  const key = name.slice(name.indexOf(".") + 1);
  const near = nearestName(key, keys);
  const elsewhere = schema.find((each) => each.key === key);
  if (elsewhere !== undefined)
    return `there is no ${name}; ${key} stands under [${elsewhere.section}]`;
  return `there is no ${name}${near === undefined ? "" : `; ${near}?`}`;
}
