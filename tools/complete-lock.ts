/**
 * Run after `npm install`: puts the optional platform packages back that the registry at hand did not
 * serve. npm drops them from the lock silently, and `npm ci` then fails, here and on other platforms.
 */
import fs from "node:fs";

const LOCK = "package-lock.json";
const SYSTEMS = "android darwin freebsd linux openharmony win32 netbsd openbsd sunos aix".split(
  " ",
);
const PROCESSORS = "arm64 x64 ia32 riscv64 ppc64 s390x loong64 arm wasm32".split(" ");

type Locked = { dev?: boolean; optionalDependencies?: Record<string, string> };
const lock = JSON.parse(fs.readFileSync(LOCK, "utf8"));
const packages: Record<string, Locked | object> = lock.packages;
let added = 0;
for (const [place, entry] of Object.entries(packages)) {
  const { dev, optionalDependencies = {} } = entry as Locked;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const nested = `${place ? `${place}/` : ""}node_modules/${name}`;
    if (nested in packages || `node_modules/${name}` in packages || !/^\d/.test(version)) continue;
    packages[`node_modules/${name}`] = {
      version,
      cpu: [PROCESSORS.find((cpu) => name.includes(cpu)) ?? "none"],
      ...(dev ? { dev: true } : {}),
      ...(name.includes("musl") ? { libc: ["musl"] } : {}),
      optional: true,
      os: [SYSTEMS.find((system) => name.includes(system)) ?? "none"],
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
fs.writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${LOCK}: ${added} optional packages of other platforms added`);
