import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const packages = ["protocol", "crypto", "client", "server", "cli", "e2e", "loadtest"];

/** Those that compare times have the machine for themselves: tools/test.ts runs them behind all others. */
const ALONE = process.env["PARLEY_TESTS"] === "alone";

export default defineConfig({
  test: {
    fileParallelism: !ALONE,
    projects: packages.map((name) => ({
      test: {
        name,
        root: `packages/${name}`,
        include: [ALONE ? "test/**/*.alone.test.ts" : "test/**/*.test.ts"],
        exclude: ALONE ? [] : ["test/**/*.alone.test.ts"],
        pool: "forks" as const,
        // Of the programs that tests start, killed and started again by the hundred: half their time to start.
        env: {
          NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/node", import.meta.url)),
        },
        // For what hangs: no test waits for time, and a busy machine is no failure.
        testTimeout: 60_000,
        hookTimeout: 60_000,
      },
    })),
    passWithNoTests: ALONE,
  },
});
