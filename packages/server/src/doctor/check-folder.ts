import { accessSync, constants, readdirSync, type Stats, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Finding, findingsOf } from "./finding.ts";

const { ok, warning, problem } = findingsOf("data folder");
/** What a group or everybody may do. */
const OTHERS = 0o077;

/** Whether the server can use the data folder, and nobody else can look into it. */
export function checkFolder(dataFolder: string): Finding[] {
  const folder = resolve(dataFolder);
  const seen = statSync(folder, { throwIfNoEntry: false });
  if (seen === undefined) return [judgeMissing(folder)];
  if (!seen.isDirectory()) return [problem(`${folder} is no folder`, "name another one (--data)")];
  if (!isWritable(folder))
    return [problem(`${folder} cannot be written to by ${user()}`, `chown it to that user`)];
  const open = [["", seen] as const, ...filesOf(folder)].filter(([, stats]) => stats.mode & OTHERS);
  const foreign = filesOf(folder).filter(([, stats]) => stats.uid !== seen.uid);
  if (process.platform === "win32" || open.length + foreign.length === 0)
    return [ok(`${folder}, open to its owner alone`)];
  return [
    ...open.map(([name, stats]) =>
      warning(
        `${join(folder, name)} may be used by others (mode ${(stats.mode & 0o777).toString(8)})`,
        `chmod go= ${join(folder, name)}`,
      ),
    ),
    ...foreign.map(([name]) =>
      warning(
        `${join(folder, name)} belongs to another user than its folder`,
        `chown it to the user that runs the server`,
      ),
    ),
  ];
}

function judgeMissing(folder: string): Finding {
  const above = nearestThere(folder);
  if (isWritable(above)) return ok(`${folder} is not there yet: the server makes it`);
  return problem(
    `${folder} is not there, and ${user()} may not make it in ${above}`,
    `make it, and chown it to the user that runs the server`,
  );
}

function nearestThere(folder: string): string {
  const above = dirname(folder);
  const isThere = statSync(above, { throwIfNoEntry: false }) !== undefined;
  return isThere || above === folder ? above : nearestThere(above);
}

function filesOf(folder: string): (readonly [string, Stats])[] {
  return readdirSync(folder).flatMap((name) => {
    // A server that runs may delete one meanwhile.
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    // What an operator puts there himself is his.
    return stats === undefined || name === "parley.toml" ? [] : [[name, stats] as const];
  });
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const user = () => `user ${process.getuid?.() ?? "of this process"}`;
