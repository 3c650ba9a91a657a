import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";

const FILE_NAME = "parley.toml";

/** In the data folder, so that it moves with it; else where the command is run. None is needed. */
export function findConfigFile(dataFolder: string): string | undefined {
  const places = [join(dataFolder, FILE_NAME), FILE_NAME];
  const found = places.find((path) => existsSync(path));
  return found === undefined ? undefined : relative("", resolve(found));
}
