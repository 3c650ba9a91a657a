import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM, ChromiumWithBundle, type Place } from "../fixtures/chromium.ts";
import { jobs, type Outcome } from "./attachment-jobs.ts";

const isThere = CHROMIUM.isThere();
if (!isThere) process.stderr.write(`\nNOT RUN: tests in a browser need ${CHROMIUM.what}\n`);

test.runIf(!isThere && process.env["CI"] !== undefined)("Chromium is there", () => {
  throw new Error(`needs ${CHROMIUM.what}`);
});

describe.runIf(isThere)("in Chromium", () => {
  let browser: ChromiumWithBundle;
  beforeAll(async () => {
    browser = await ChromiumWithBundle.open(new URL("attachment-jobs.ts", import.meta.url));
  });
  afterAll(() => browser.close());

  const places: readonly Place[] = ["page", "worker"];

  test.each(places)("a %s seals and opens files over web streams as Node does", async (place) => {
    expect(await browser.run(place, "isWebCryptoTaken")).toBe(true);
    for (const sizeBytes of [0, 4097, 200_000]) {
      const argument = { seed: "browser", sizeBytes };
      const here = await jobs.sealAndOpen(argument);
      expect(here).toMatchObject({ isSame: true, failure: "not-authentic" });
      expect(await browser.run<Outcome>(place, "sealAndOpen", argument)).toEqual(here);
    }
  });
});
