import fs from "node:fs";
import path from "node:path";

/** Of a block as stat(2) counts them, whatever the file system's own is. */
const STAT_BLOCK_BYTES = 512;

/** What a folder takes on the disk. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: "utf8" }))
    bytes += fs.lstatSync(path.join(folder, name)).blocks * STAT_BLOCK_BYTES;
  return bytes;
}
