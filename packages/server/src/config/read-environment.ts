import { readFileSync, statSync } from "node:fs";
import type { Problem } from "./config-error.ts";
import { nearestName } from "./nearest-name.ts";
import type { Said } from "./said.ts";
import { envOf, fileEnvOf, type Setting } from "./setting.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "PARLEY__";
/** The longest secret is a fraction of it; a log or a device file named by mistake is not read into memory. */
const FILE_BYTES_MAX = 64 * 1024;

/** Names with `PARLEY__` are ours alone, so an unknown one is a mistake; an empty value counts as none. */
export function readEnvironment(
  env: Environment,
  schema: readonly Setting[],
): { readonly said: readonly Said[]; readonly problems: readonly Problem[] } {
  const said: Said[] = [];
  const problems: Problem[] = [];
  const known = new Set<string>();
  for (const setting of schema) {
    const names = [envOf(setting), fileEnvOf(setting), setting.shortEnv].filter(
      (name) => name !== undefined,
    );
    for (const name of names) known.add(name);
    const given = names.filter((name) => env[name]);
    const [where, another] = given;
    if (another !== undefined)
      problems.push({
        where: another,
        says: `${where} says the same thing: set one of them`,
        isUsage: false,
      });
    else if (where !== undefined) {
      const value = env[where] as string;
      const read = where === fileEnvOf(setting) ? readValue(value) : { text: value };
      if ("problem" in read) problems.push({ where, says: read.problem, isUsage: false });
      else
        said.push({
          setting,
          value: setting.kind.fromText(read.text),
          where,
          source: "environment",
        });
    }
  }
  for (const name of Object.keys(env))
    if (name.startsWith(PREFIX) && !known.has(name))
      problems.push({ where: name, says: unknown(name, [...known]), isUsage: false });
  return { said, problems };
}

function readValue(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    const { size } = statSync(path);
    if (size > FILE_BYTES_MAX)
      return { problem: `${path} has ${size} bytes; a value has at most ${FILE_BYTES_MAX}` };
    // The newline that editors and `echo` put at the end is no part of it.
    return { text: readFileSync(path, "utf8").replace(/\r?\n$/, "") };
  } catch (cause) {
    return { problem: `cannot be read: ${(cause as Error).message}` };
  }
}

function unknown(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined
    ? "there is no such setting"
    : `there is no such setting; ${nearest}?`;
}
