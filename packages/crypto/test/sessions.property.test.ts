import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Party } from "./fixtures/party.ts";
import { SessionWorld, stepsOf, type Weights } from "./fixtures/session-world.ts";

/** Half of the thousand; the other half is rolled back and reset (sessions-restored.property.test.ts). */
const SEEDS = Number(process.env["PROPERTY_SEEDS"] ?? 500);
const WEIGHTS: Weights = {
  send: 14,
  deliver: 18,
  duplicate: 2,
  replay: 2,
  tamper: 4,
  drop: 2,
  begin: 2,
  "both-begin": 1,
  "crash-sending": 2,
  "crash-receiving": 2,
};

describe("whatever happens between two devices", () => {
  test("each genuine message is read once, nothing changes by what fails, no key serves twice, and past and future are closed", () => {
    let tooLate = 0;
    let read = 0;
    fc.assert(
      fc.property(
        stepsOf(WEIGHTS, { min: 10, max: 90 }),
        fc.constantFrom<0 | 1>(0, 1),
        (steps, victim) => {
          const world = new SessionWorld();
          for (const step of steps) world.run(step);
          world.settle();
          world.assertForwardSecrecy();
          world.assertHealing(victim);
          tooLate += world.tooLate;
          read += world.delivered[0].length + world.delivered[1].length;
        },
      ),
      { numRuns: SEEDS, seed: 2026 },
    );
    expect(read).toBeGreaterThan(10 * SEEDS);
    expect(tooLate).toBeLessThan(read / 100);
  });
});

describe("a stolen copy of the store", () => {
  const turn = (a: Party, b: Party) => {
    b.read(a, a.say(b, "there"));
    a.read(b, b.say(a, "and back"));
  };

  test("reads no message of before it was taken", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), (turns) => {
        const [alice, bob] = [new Party("alice"), new Party("bob")];
        alice.begin(bob);
        const recorded: Uint8Array[] = [];
        for (let n = 0; n < turns; n++) {
          const ciphertext = alice.say(bob, `secret ${n}`);
          recorded.push(ciphertext);
          bob.read(alice, ciphertext);
          alice.read(bob, bob.say(alice, "yes"));
        }
        for (const ciphertext of recorded) expect(bob.read(alice, ciphertext)).toBe("(repeat)");
      }),
      { numRuns: 12, seed: 1 },
    ));

  test("reads nothing new after one round trip", () => {
    const [alice, bob] = [new Party("alice"), new Party("bob")];
    alice.begin(bob);
    turn(alice, bob);
    const stolen = new Map(bob.records);
    const stillReadable = alice.say(bob, "before the round trip");
    bob.read(alice, stillReadable);
    turn(bob, alice);
    const after = alice.say(bob, "after it");
    const live = new Map(bob.records);
    const replace = (records: Map<string, Uint8Array>) => {
      for (const [key, bytes] of records) bob.records.set(key, bytes);
    };
    replace(stolen);
    expect(bob.read(alice, stillReadable)).toBe("before the round trip"); // The control.
    replace(stolen);
    expect(bob.read(alice, after)).toBe("(not-authentic)");
    replace(live);
    expect(bob.read(alice, after)).toBe("after it");
  });
});
