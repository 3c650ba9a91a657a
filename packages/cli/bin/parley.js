#!/usr/bin/env node
// Plain JavaScript: any Node parses it, finds the runtime that came with the install, and hands over.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const OLDEST_THAT_WORKS = 24;
const EXIT_UNAVAILABLE = 69;
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= OLDEST_THAT_WORKS) {
  await import("../src/main.ts");
} else {
  const node = path("../../../node_modules/.bin/node");
  if (!existsSync(node)) {
    console.error(
      `parley needs Node ${OLDEST_THAT_WORKS} (this is ${process.version}): run npm ci`,
    );
    process.exit(EXIT_UNAVAILABLE);
  }
  const args = [path("../src/main.ts"), ...process.argv.slice(2)];
  const child = spawn(node, args, { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 143));
}
