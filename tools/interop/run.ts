/**
 * `npm run test:interop`: against the official Signal library, which is AGPL and so lives in this folder
 * alone, with an install of its own. The last line is `N passed, N failed`.
 */
import fs from "node:fs";
import { run as runTests } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { run } from "../run.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

if ((await run("npm", ["ci"], HERE)) !== 0) {
  console.log("0 passed, 1 failed");
  process.exit(1);
}
const files = fs.globSync("test/*.test.ts", { cwd: HERE }).map((file) => `${HERE}${file}`);
let passed = 0;
let failed = 0;
const stream = runTests({ files, concurrency: true });
stream.on("test:pass", ({ details, skip }) => {
  if (details.type !== "suite" && skip === undefined) passed += 1;
});
stream.on("test:fail", ({ details }) => {
  if (details.type !== "suite") failed += 1;
});
stream.on("end", () => {
  if (files.length === 0 || passed === 0) failed += 1; // Nothing ran: that is no success.
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
});
stream.compose(new spec()).pipe(process.stdout, { end: false });
