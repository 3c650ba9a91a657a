/**
 * `npm run mutate -- <folder> [file…]`: changes the sources of one folder of packages/crypto in some
 * hundred places, one at a time, and counts which of them no test notices (Stryker). The last lines say how many.
 */
import { fileURLToPath } from "node:url";
import { Stryker } from "@stryker-mutator/core";

/** By folder of packages/crypto/src: what is quick of the tests that speak of it. */
const SESSION_TESTS = [
  "test/two-parties.test.ts",
  "test/wire.test.ts",
  "test/frozen-vectors.test.ts",
  "test/sessions.property.test.ts",
  "test/sessions-restored.property.test.ts",
  "test/edges/*.test.ts",
];
const TESTS: Readonly<Record<string, readonly string[]>> = {
  ratchet: SESSION_TESTS,
  handshake: [...SESSION_TESTS, "test/identity.test.ts"],
  spqr: [...SESSION_TESTS, "test/spqr/*.test.ts"],
  group: ["test/group.test.ts", "test/frozen-vectors.test.ts", "test/edges/*.test.ts"],
  chain: ["test/chain.test.ts", "test/chain/*-{chain,forks,links}.test.ts"],
};
const KILLED_MIN_PERCENT = 80;
const CONFIG = fileURLToPath(new URL("vitest.config.ts", import.meta.url));

const [folder = "", ...files] = process.argv.slice(2);
const tests = TESTS[folder];
if (tests === undefined) throw new Error(`one of: ${Object.keys(TESTS).join(", ")}`);
process.chdir(fileURLToPath(new URL("../../packages/crypto/", import.meta.url)));
process.env["MUTATION_TESTS"] = tests.join(" ");
const stryker = new Stryker({
  mutate: files.length > 0 ? files.map((file) => `src/${folder}/${file}`) : [`src/${folder}/*.ts`],
  testRunner: "vitest",
  vitest: { configFile: CONFIG, related: false },
  plugins: ["@stryker-mutator/vitest-runner"],
  coverageAnalysis: "perTest",
  concurrency: Number(process.env["MUTATION_CONCURRENCY"] ?? 1),
  // What an error says is for people.
  mutator: { excludedMutations: ["StringLiteral"] },
  ignoreStatic: true,
  reporters: ["clear-text"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 90, low: KILLED_MIN_PERCENT, break: KILLED_MIN_PERCENT },
  tempDirName: ".stryker-tmp",
  // There is none of this name: Stryker would read it with an interface that TypeScript 7 has no more.
  tsconfigFile: "none.json",
  // The copy finds the package's own tsconfig above it.
  ignorePatterns: ["tsconfig*.json", "test/browser", "test/vectors/wycheproof"],
  timeoutMS: 10_000,
});
const mutants = await stryker.runMutationTest();
const undetected = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
const detected = mutants.filter(({ status }) => status === "Killed" || status === "Timeout");
const percent = (100 * detected.length) / Math.max(1, detected.length + undetected.length);
console.log(`${folder}: ${percent.toFixed(1)} % of ${detected.length + undetected.length} killed`);
process.exitCode = percent >= KILLED_MIN_PERCENT ? 0 : 1;
