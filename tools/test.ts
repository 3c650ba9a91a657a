/**
 * `npm test`: what a fresh machine needs is installed or named, then the checks and every test. Further
 * arguments go to vitest (`npm test -- --project server`), and then the checks are left out. The last line is
 * `N passed, N failed`.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { CHECKS, check } from "./check.ts";
import { run } from "./run.ts";
import { installMissing } from "./services/debian.ts";

const chosen = process.argv.slice(2);
installMissing();
const failedChecks = chosen.length === 0 ? await check() : 0;
const together = await vitest();
process.env["PARLEY_TESTS"] = "alone";
const alone = await vitest();

const allPassed =
  together.passed + alone.passed + (chosen.length === 0 ? CHECKS - failedChecks : 0);
const allFailed = together.failed + alone.failed + failedChecks;
console.log(`${allPassed} passed, ${allFailed} failed`);
process.exitCode = allFailed === 0 ? 0 : 1;

async function vitest(): Promise<{ passed: number; failed: number }> {
  const report = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "parley-test-")), "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const code = await run("vitest", ["run", ...reporters, ...chosen]);
  const { passed, failed } = countOf(report);
  // A run that broke off (a file that did not load, an error outside of tests) fails though no test did.
  return { passed, failed: failed + (code !== 0 && failed === 0 ? 1 : 0) };
}

function countOf(file: string): { passed: number; failed: number } {
  if (!fs.existsSync(file)) return { passed: 0, failed: 0 };
  const result = JSON.parse(fs.readFileSync(file, "utf8"));
  const suites: readonly { status: string; assertionResults: unknown[] }[] = result.testResults;
  const notLoaded = suites.filter(
    (suite) => suite.status === "failed" && suite.assertionResults.length === 0,
  );
  return { passed: result.numPassedTests, failed: result.numFailedTests + notLoaded.length };
}
