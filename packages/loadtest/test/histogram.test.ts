import { expect, test } from "vitest";
import { Histogram } from "../src/measure/histogram.ts";

test("a percentile is at most 1.6 % above the time that has that rank", () => {
  const histogram = new Histogram();
  const times = Array.from({ length: 10_000 }, (_, i) => 0.001 * 1.0018 ** i);
  for (const ms of times) histogram.record(ms);
  for (const share of [0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = times[Math.ceil(share * times.length) - 1] as number;
    const found = histogram.percentileMs(share);
    // Times are kept in whole microseconds.
    expect(found).toBeGreaterThanOrEqual(exact - 0.0005);
    expect(found).toBeLessThanOrEqual(exact * 1.016 + 0.001);
  }
});

test("times below 64 microseconds are kept exactly", () => {
  const histogram = new Histogram();
  for (let microseconds = 1; microseconds <= 50; microseconds++)
    histogram.record(microseconds / 1000);
  expect(histogram.percentileMs(0.5)).toBe(0.025);
  expect(histogram.percentileMs(1)).toBe(0.05);
});

test("a histogram that went to another process says the same there", () => {
  const histogram = new Histogram();
  for (const ms of [0.2, 3, 3, 41, 7_200_000]) histogram.record(ms);
  const there = Histogram.from(JSON.parse(JSON.stringify(histogram)));
  expect(there.count).toBe(5);
  for (const share of [0.2, 0.5, 0.8]) {
    expect(there.percentileMs(share)).toBe(histogram.percentileMs(share));
  }
});

test("without a time there is no percentile", () => {
  expect(new Histogram().percentileMs(0.5)).toBeNaN();
});
