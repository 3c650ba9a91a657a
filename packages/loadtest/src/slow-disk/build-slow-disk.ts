import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("./slow-disk.c", import.meta.url));

export interface SlowDisk {
  /** For LD_PRELOAD. */
  readonly library: string;
  remove(): void;
}

/** Undefined: no C compiler here, or not Linux. */
export function buildSlowDisk(): SlowDisk | undefined {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "parley-slow-disk-"));
  const library = path.join(folder, "slow-disk.so");
  const remove = () => fs.rmSync(folder, { recursive: true, force: true });
  const built = spawnSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"]);
  if (process.platform === "linux" && built.status === 0) return { library, remove };
  remove();
  return undefined;
}
