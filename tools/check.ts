/** `npm run check`: everything about the code that needs no test to run. Reports all that is wrong, then fails. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { GENERATED, generate } from "./generate.ts";
import { missedRules } from "./lint-fixture.ts";
import { breaksRelease } from "./release-schema.ts";
import { ROOT, run } from "./run.ts";

type Step = readonly [name: string, passes: () => Promise<boolean>];

const succeeds = async (command: string, ...args: string[]) => (await run(command, args)) === 0;

const STEPS: readonly Step[] = [
  ["format, lint and import rules", () => succeeds("biome", "check", "--error-on-warnings", ".")],
  ["the linter sees what it must", seesFixture],
  ["types", typesHold],
  ["schema", async () => (await run("buf", ["lint"], path.join(ROOT, "packages/protocol"))) === 0],
  ["schema breaks no released client", async () => (await breaksRelease()) === 0],
  ["generated code and docs are up to date", isGenerated],
  ["no dead exports or dependencies", () => succeeds("knip")],
];

/** Runs all steps; resolves with how many failed. */
export async function check(): Promise<number> {
  let failed = 0;
  for (const [name, passes] of STEPS) {
    const started = performance.now();
    const passed = await passes();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${passed ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
    if (!passed) failed += 1;
  }
  return failed;
}

export const CHECKS = STEPS.length;

async function seesFixture(): Promise<boolean> {
  const missed = missedRules();
  for (const line of missed) console.error(line);
  return missed.length === 0;
}

async function typesHold(): Promise<boolean> {
  const configs = fs.globSync(["packages/*/tsconfig*.json", "tools/tsconfig.json"], { cwd: ROOT });
  const codes = await Promise.all(configs.map((config) => run("tsc", ["-p", config])));
  return codes.every((code) => code === 0);
}

/** Generates anew and compares: where it differs the work tree now holds what is to be committed. */
async function isGenerated(): Promise<boolean> {
  const before = hashOf(GENERATED);
  if (!(await generate())) return false;
  if (hashOf(GENERATED) === before) return true;
  console.error("generated files were out of date, and are not any more: look at them and commit");
  return false;
}

function hashOf(places: readonly string[]): string {
  const hash = createHash("sha256");
  for (const place of places)
    for (const file of [place, ...fs.globSync(`${place}/**/*`, { cwd: ROOT })].sort()) {
      const full = path.join(ROOT, file);
      if (!fs.statSync(full, { throwIfNoEntry: false })?.isFile()) continue;
      hash.update(file).update(fs.readFileSync(full));
    }
  return hash.digest("hex");
}

if (import.meta.main) process.exitCode = (await check()) === 0 ? 0 : 1;
