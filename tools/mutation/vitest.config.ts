import { defineConfig } from "vitest/config";

/**
 * For mutants: the tests that are quick, since each runs some hundred times. Left out are those that measure time,
 * that start processes, and the long searches.
 */
export default defineConfig({
  test: {
    include: (process.env["MUTATION_TESTS"] ?? "").split(" "),
    pool: "forks",
    // A mutant may loop.
    testTimeout: 20_000,
    env: { PROPERTY_SEEDS: "12" },
  },
});
