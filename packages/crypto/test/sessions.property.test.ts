import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CiphertextKind } from "../src/index.ts";
import { decodePrekeySignalMessage } from "../src/ratchet/prekey-signal-message.ts";
import { Party } from "./fixtures/party.ts";

/** What may happen, in any order. `who` is the one who acts. */
type Step =
  | { readonly do: "send"; readonly who: 0 | 1 }
  | {
      readonly do: "deliver" | "duplicate" | "tamper" | "drop";
      readonly who: 0 | 1;
      readonly which: number;
    }
  | { readonly do: "replay"; readonly who: 0 | 1; readonly which: number }
  | { readonly do: "begin"; readonly who: 0 | 1; readonly oneTime: boolean };

const who = fc.constantFrom<0 | 1>(0, 1);
const which = fc.nat(1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("send" as const), who }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("deliver" as const), who, which }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("duplicate" as const, "tamper" as const, "replay" as const),
      who,
      which,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), who, which }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("begin" as const), who, oneTime: fc.boolean() }),
  },
);

interface Mail {
  readonly text: string;
  readonly ciphertext: Uint8Array;
}

/** Two devices and the mail between them. Both restart at every step: a record lives as bytes alone. */
class World {
  readonly parties = [new Party("zero"), new Party("one")] as const;
  /** On the way to that party. */
  readonly mail: [Mail[], Mail[]] = [[], []];
  readonly delivered: [Mail[], Mail[]] = [[], []];
  readonly read = new Map<string, number>();
  #sent = 0;

  run(step: Step): void {
    const me = this.parties[step.who];
    const other = this.parties[(1 - step.who) as 0 | 1];
    switch (step.do) {
      case "begin":
        me.begin(other, other.bundle({ oneTime: step.oneTime }));
        return;
      case "send":
        if (me.record(other)?.current === undefined) me.begin(other);
        this.#send(step.who);
        return;
      case "drop":
        this.mail[step.who].splice(step.which % Math.max(1, this.mail[step.who].length), 1);
        return;
      case "deliver":
        this.#deliver(step.who, step.which);
        return;
      case "duplicate":
      case "tamper":
      case "replay":
        this.#hostile(step.who, step);
        return;
    }
  }

  #send(who: 0 | 1): void {
    const [me, other] = [this.parties[who], this.parties[(1 - who) as 0 | 1]];
    const text = `${who}:${this.#sent++}`;
    this.mail[(1 - who) as 0 | 1].push({ text, ciphertext: me.say(other, text) });
  }

  #deliver(to: 0 | 1, which: number): void {
    const queue = this.mail[to];
    if (queue.length === 0) return;
    const [mail] = queue.splice(which % queue.length, 1) as [Mail];
    const text = this.parties[to].read(this.parties[(1 - to) as 0 | 1], mail.ciphertext);
    expect(text).toBe(mail.text);
    this.read.set(text, (this.read.get(text) ?? 0) + 1);
    this.delivered[to].push(mail);
  }

  /** Nothing of this may be read, or change a byte of what is stored. */
  #hostile(to: 0 | 1, { do: how, which }: { do: string; which: number }): void {
    const [me, other] = [this.parties[to], this.parties[(1 - to) as 0 | 1]];
    const source = how === "tamper" ? this.mail[to] : this.delivered[to];
    if (source.length === 0) return;
    const genuine = (source[which % source.length] as Mail).ciphertext;
    const ciphertext = genuine.slice();
    if (how === "tamper") {
      const at = which % ciphertext.length;
      ciphertext[at] = (ciphertext[at] as number) ^ (1 << (which % 8));
    }
    const before = [...me.records.values()].map((bytes) => Buffer.from(bytes).toString("hex"));
    const oneTime = [...me.oneTime.keys()];
    const outcome = me.receive(other, ciphertext);
    if (outcome.kind === "plaintext") {
      expect(how).toBe("tamper");
      expect(messageIn(ciphertext)).toEqual(messageIn(genuine));
      this.#countTamperedRead(to, which, outcome.plaintext);
      return;
    }
    if (how !== "tamper") expect(outcome.kind).toBe("repeat");
    const after = [...me.records.values()].map((bytes) => Buffer.from(bytes).toString("hex"));
    expect(after).toEqual(before);
    expect([...me.oneTime.keys()]).toEqual(oneTime);
  }

  /** The wrapper of a prekey message has no MAC: what is inside is still the sender's, and read once. */
  #countTamperedRead(to: 0 | 1, which: number, plaintext: Uint8Array): void {
    const [mail] = this.mail[to].splice(which % this.mail[to].length, 1) as [Mail];
    expect(new TextDecoder().decode(plaintext)).toBe(mail.text);
    this.read.set(mail.text, (this.read.get(mail.text) ?? 0) + 1);
  }
}

/** The part of a prekey message that a MAC covers; of any other, the whole. */
function messageIn(ciphertext: Uint8Array): Uint8Array {
  return ciphertext[0] === CiphertextKind.PREKEY_MESSAGE
    ? decodePrekeySignalMessage(ciphertext.subarray(1)).message
    : ciphertext;
}

describe("whatever happens between two devices", () => {
  test("each genuine message is read exactly once, and what fails changes nothing", () =>
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 90 }), (steps) => {
        const world = new World();
        for (const each of steps) world.run(each);
        for (const to of [0, 1] as const)
          while (world.mail[to].length > 0) world.run({ do: "deliver", who: to, which: 0 });
        for (const [text, times] of world.read) expect([text, times]).toEqual([text, 1]);
      }),
      { numRuns: 150, seed: 2026 },
    ));
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
