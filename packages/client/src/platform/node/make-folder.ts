import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

const ONLY_THE_OWNER = 0o700;

/**
 * Makes a folder that only its owner may enter, and what is missing above it. Step by step, because Node's
 * own `recursive` never returns where a folder that is there refuses any new one with ENOENT, as /proc does.
 */
export function makeFolder(path: string): void {
  const folder = resolve(path);
  if (isFolder(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: ONLY_THE_OWNER });
  } catch (cause) {
    // Another process may have made it meanwhile.
    if (!isFolder(folder)) throw cause;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
