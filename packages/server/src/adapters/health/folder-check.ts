import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Finding, HealthCheck } from "../../ports/health-check.ts";

/** What it writes, and nothing else in the folder is called. */
export const FOLDER_CHECK_FILE = "ready-check";
/** About the largest commit of a busy moment: a disk that has less room than that refuses one soon. */
const BYTES = 256 * 1024;

/** The data folder takes bytes and an fsync: found by doing it, because quotas and mounts do not show in figures. */
export function folderCheck(dataFolder: string): HealthCheck {
  const path = join(dataFolder, FOLDER_CHECK_FILE);
  return { name: "store", look: () => look(path) };
}

async function look(path: string): Promise<Finding> {
  try {
    const file = await open(path, "w", 0o600);
    try {
      await file.write(Buffer.alloc(BYTES));
      await file.datasync();
    } finally {
      await file.close();
      await rm(path, { force: true });
    }
    return { isOk: true, detail: "writable" };
  } catch (cause) {
    return { isOk: false, detail: problemOf((cause as NodeJS.ErrnoException).code) };
  }
}

function problemOf(code: string | undefined): string {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full";
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return "not writable";
    default:
      return `cannot be written (${code ?? "unknown"})`;
  }
}
