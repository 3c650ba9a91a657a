import { spawnSync } from "node:child_process";
import fs from "node:fs";

const LIST = new URL("debian-packages.txt", import.meta.url);

/**
 * Installs Debian packages that this machine lacks, those that tests use unless others are named, where it can (Debian, root); else
 * says which and how. Tests name what they miss themselves, and fail under CI.
 */
export function installMissing(packages: readonly string[] = packagesOfList()): void {
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).error) {
    console.warn(`Some tests need what this machine lacks. On Debian, as root: ${command}`);
    return;
  }
  console.warn(`installing ${missing.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const quiet = { env, stdio: ["ignore", "ignore", "inherit"] as ("ignore" | "inherit")[] };
  spawnSync("apt-get", ["update"], quiet);
  const done = spawnSync("sh", ["-c", command], quiet);
  if (done.status !== 0)
    console.warn(`not installed, tests that need them will say so: ${command}`);
}

function packagesOfList(): string[] {
  const lines = fs.readFileSync(LIST, "utf8").split("\n");
  return lines.map((line) => line.replace(/#.*/, "").trim()).filter((line) => line !== "");
}

function isInstalled(name: string): boolean {
  const { stdout } = spawnSync("dpkg", ["-s", name], { encoding: "utf8" });
  return stdout?.includes("Status: install ok installed") ?? false;
}
