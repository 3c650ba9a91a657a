import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "../run.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** The official library, where it is not here in the version that the lock names. */
export async function installPeer(): Promise<void> {
  if (installedVersion() === lockedVersion()) return;
  const code = await run("npm", ["ci"], HERE);
  if (code !== 0) throw new Error(`npm ci in tools/interop ended with ${code}`);
}

const PACKAGE = "node_modules/@signalapp/libsignal-client";

function installedVersion(): string | undefined {
  const file = `${HERE}${PACKAGE}/package.json`;
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")).version : undefined;
}

function lockedVersion(): string {
  return JSON.parse(fs.readFileSync(`${HERE}package-lock.json`, "utf8")).packages[PACKAGE].version;
}
