import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CryptoError,
  LABELS,
  liveKeyIdOf,
  openLive,
  PADDED_WITH_KEYS_BYTES_MIN,
  padContent,
  sealLive,
  unpadContent,
} from "../src/index.ts";
import { seededRandom } from "./fixtures/random.ts";

const random = seededRandom("formats");

test("no label is a prefix of another, and all are ASCII and Parley's", () => {
  const labels = Object.values(LABELS);
  for (const label of labels) {
    expect(label).toMatch(/^Parley [ -~]+$/);
    expect(labels.filter((other) => other.startsWith(label))).toEqual([label]);
  }
});

describe("padding", () => {
  test("comes off again, whatever it covers", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), (content, keys) => {
        const options = keys ? { atLeast: PADDED_WITH_KEYS_BYTES_MIN } : {};
        expect(unpadContent(padContent(content, options))).toEqual(content);
      }),
    ));

  test.each([
    [0, 255],
    [254, 255],
    [255, 383],
    [382, 383],
    [383, 511],
    [1278, 1279],
    [1279, 1343],
    [65_536, 67_583],
  ])("takes %i bytes to %i", (content, padded) => {
    expect(padContent(new Uint8Array(content)).length).toBe(padded);
  });

  test("with keys in the wrapper gives at least 383", () => {
    expect(padContent(new Uint8Array(9), { atLeast: PADDED_WITH_KEYS_BYTES_MIN }).length).toBe(383);
  });

  test("adds at most 12 % above the steps, and one byte below a block", () => {
    for (let size = 1279; size < 90_000; size += 37) {
      const padded = padContent(new Uint8Array(size)).length;
      expect(padded).toBeLessThanOrEqual((size + 2) * 1.12);
      expect(padded % 16).toBe(15);
    }
  });

  test("is refused where the mark is missing", () => {
    for (const wrong of [new Uint8Array(0), new Uint8Array(255), Uint8Array.of(1, 2, 0x81, 0)])
      expect(() => unpadContent(wrong)).toThrow(CryptoError);
  });
});

describe("a live frame", () => {
  const key = { id: random(4), key: random(32) };
  const route = { senderAccount: random(16), senderDevice: 1, recipient: random(16) };
  const frame = sealLive(key, route, Uint8Array.of(8, 1, 16, 2), random(12));

  test("has one size, names its key and opens", () => {
    expect(frame.length).toBe(97);
    expect(liveKeyIdOf(frame)).toEqual(key.id);
    expect(openLive(key.key, route, frame)).toEqual(Uint8Array.of(8, 1, 16, 2));
  });

  test("opens on no other route, under no other key, and not when changed", () => {
    for (const other of [
      { senderAccount: random(16) },
      { senderDevice: 2 },
      { recipient: random(16) },
    ])
      expect(openLive(key.key, { ...route, ...other }, frame)).toBeUndefined();
    expect(openLive(random(32), route, frame)).toBeUndefined();
    const changed = frame.slice();
    changed[60] = (changed[60] as number) ^ 1;
    expect(openLive(key.key, route, changed)).toBeUndefined();
    expect(openLive(key.key, route, frame.subarray(1))).toBeUndefined();
    expect(liveKeyIdOf(Uint8Array.of(2))).toBeUndefined();
  });
});
