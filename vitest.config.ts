import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const packages = ["protocol", "crypto", "client", "server", "cli", "e2e", "loadtest"];

export default defineConfig({
  test: {
    projects: packages.map((name) => ({
      test: {
        name,
        root: `packages/${name}`,
        include: ["test/**/*.test.ts"],
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
    passWithNoTests: false,
  },
});
