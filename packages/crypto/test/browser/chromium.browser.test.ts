import fs from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM, ChromiumWithBundle, type Place } from "../fixtures/chromium.ts";
import { VECTOR_NAMES } from "../wycheproof/checks.ts";
import { TALLIES } from "../wycheproof/tallies.ts";

const isThere = CHROMIUM.isThere();
if (!isThere) process.stderr.write(`\nNOT RUN: tests in a browser need ${CHROMIUM.what}\n`);

test.runIf(!isThere && process.env["CI"] !== undefined)("Chromium is there", () => {
  throw new Error(`needs ${CHROMIUM.what}`);
});

describe.runIf(isThere)("in Chromium", () => {
  let browser: ChromiumWithBundle;
  beforeAll(async () => {
    browser = await ChromiumWithBundle.open(new URL("jobs.ts", import.meta.url));
  });
  afterAll(() => browser.close());

  const places: readonly Place[] = ["page", "worker"];

  test.each(places)("WebCrypto is chosen in a %s, and knows every answer", async (place) => {
    expect(await browser.run(place, "kindOfStart")).toBe("web");
    expect(await browser.run(place, "unknownAnswers")).toEqual([]);
  });

  const checks = VECTOR_NAMES.flatMap((name) =>
    (["web", "noble"] as const).map((by) => ({ name, by })),
  );
  test.each(checks)("the vectors of $name hold by $by", async ({ name, by }) => {
    const url = new URL(`../vectors/wycheproof/${name}_test.json`, import.meta.url);
    const file = JSON.parse(fs.readFileSync(url, "utf8"));
    expect(await browser.run("worker", "checkVectors", { name, file, by })).toEqual(TALLIES[name]);
  });
});
