import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { PLANTS } from "./planted/plants.ts";
import type { PlantedRun } from "./planted/run-plants.ts";

/** In a process of its own: there the sources can be loaded anew for each bug. */
let result: PlantedRun;

beforeAll(async () => {
  const script = fileURLToPath(new URL("planted/run-plants.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  result = JSON.parse(stdout);
});

describe("without a bug", () => {
  test.each([...new Set(PLANTS.map(({ scenario }) => scenario))])("%s", (scenario) => {
    expect(result.unplanted[scenario]).toBeUndefined();
  });
});

describe("a planted bug is caught", () => {
  test.each(PLANTS.map(({ bug, scenario }) => [bug, scenario]))("%s: %s", (bug) => {
    expect(result.planted[bug]).toMatch(/^AssertionError: /);
  });
});
