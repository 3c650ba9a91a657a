import { defineConfig } from "vitest/config";

// The command line, the simulated worlds and what else talks through the Messenger join when it stands.
const tests = {
  protocol: "test/**/*.test.ts",
  crypto: "test/**/*.test.ts",
  client: "test/**/*.test.ts",
  server: "test/**/*.test.ts",
  cli: "test/terminal/*.test.ts",
  e2e: "test/**/*.test.ts",
};

export default defineConfig({
  test: {
    projects: Object.entries(tests).map(([name, include]) => ({
      test: {
        name,
        root: `packages/${name}`,
        include: [include],
        pool: "forks" as const,
        // For what hangs: no test waits for time, and a busy machine is no failure.
        testTimeout: 60_000,
        hookTimeout: 60_000,
      },
    })),
    passWithNoTests: false,
  },
});
