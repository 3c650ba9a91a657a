import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearestName } from "../../src/config/nearest-name.ts";

test.each([
  ["", "", 0],
  ["port", "port", 0],
  ["prt", "port", 1],
  ["prot", "port", 1],
  ["kitten", "sitting", 3],
  ["", "abc", 3],
])("from %j to %j are %i steps", (from, to, steps) => {
  expect(editDistance(from, to)).toBe(steps);
});

test("a distance is the same both ways, and at most the longer word", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (one, other) => {
      const steps = editDistance(one, other);
      expect(steps).toBe(editDistance(other, one));
      expect(steps).toBeLessThanOrEqual(Math.max(one.length, other.length));
      expect(steps === 0).toBe(one === other);
    }),
  );
});

test("guesses what is near, and nothing where all is far", () => {
  const names = ["port", "host", "envelopes_max"];
  expect(nearestName("hots", names)).toBe("host");
  expect(nearestName("envelope_maximum", names)).toBe("envelopes_max");
  expect(nearestName("colour", names)).toBeUndefined();
});
