import {
  DeliveryClass,
  decodeServerFrame,
  type Envelope,
  encodeServerFrame,
  toHex,
} from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { type Citizen, Town } from "./town.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

let town: Town;
beforeEach(() => {
  town = new Town();
});

const states = (citizen: Citizen) => citizen.heard("typing").map(({ state }) => state);
const framesOf = (citizen: Citizen) => citizen.sent("sendLive").map(({ envelope }) => envelope);
const keyIdOf = (envelope: Envelope | undefined) =>
  toHex(envelope?.ciphertext.subarray(1, 5) ?? new Uint8Array());

test("a contact sees typing at once, and it is forgotten 8 seconds after the last frame", async () => {
  const [alice, bob] = await town.friends();
  alice.messenger.typing(bob.id, "typing");
  await town.pass(10);
  expect(bob.heard("typing")).toEqual([
    {
      ...{ type: "typing", conversation: alice.id, from: alice.id },
      ...{ handle: "alice", state: "typing" },
    },
  ]);
  await town.pass(7_900);
  expect(states(bob)).toEqual(["typing"]);
  await town.pass(200);
  expect(states(bob)).toEqual(["typing", "stopped"]);
});

test("a keystroke a tenth of a second is a frame in 3 seconds, and what changed last is told", async () => {
  const [alice, bob] = await town.friends();
  for (let i = 0; i < 100; i++) {
    alice.messenger.typing(bob.id, "typing");
    await town.pass(100);
  }
  expect(framesOf(alice)).toHaveLength(4);
  alice.messenger.typing(bob.id, "recording");
  alice.messenger.typing(bob.id, "stopped");
  await town.pass(3_000);
  expect(states(bob)).toEqual(["typing", "typing", "typing", "typing", "stopped"]);
  // Nothing was told since, so there is nothing to end.
  await town.pass(3_000);
  alice.messenger.typing(bob.id, "stopped");
  await town.pass(10_000);
  expect(framesOf(alice)).toHaveLength(5);
  alice.messenger.typing(bob.id, "recording");
  await town.pass(10);
  expect(states(bob).at(-1)).toBe("recording");
});

test("a message ends the typing, and no frame goes behind it", async () => {
  const [alice, bob] = await town.friends();
  alice.messenger.typing(bob.id, "typing");
  await town.pass(1_000);
  alice.messenger.typing(bob.id, "typing");
  await alice.says(bob, "here it is");
  expect(states(bob)).toEqual(["typing", "stopped"]);
  await town.pass(20_000);
  expect(framesOf(alice)).toHaveLength(1);
  expect(states(bob)).toEqual(["typing", "stopped"]);
});

test("the server sees frames of 97 bytes that are all alike, and keeps none", async () => {
  const [alice, bob] = await town.friends();
  for (const state of ["typing", "recording", "stopped", "typing"] as const) {
    alice.messenger.typing(bob.id, state);
    await town.pass(3_001);
  }
  expect(framesOf(alice).map((frame) => frame?.ciphertext.length)).toEqual([97, 97, 97, 97]);
  for (const frame of framesOf(alice))
    expect(frame).toMatchObject({ deliveryClass: DeliveryClass.LIVE, destinationDevice: 0 });
  const nonces = framesOf(alice).map((frame) => toHex(frame?.ciphertext.subarray(5) as Uint8Array));
  expect(new Set(nonces).size).toBe(4);
  bob.cut();
  alice.messenger.typing(bob.id, "typing");
  await town.pass(10);
  const before = states(bob).length;
  await town.until(() => bob.messenger.connectionState.kind === "online");
  await town.pass(60_000);
  expect(states(bob).slice(before)).toEqual([]);
});

test("nothing goes to strangers, and nothing is shown of them", async () => {
  const [alice, bob] = [await town.citizen("alice"), await town.citizen("bob")];
  await alice.says(bob, "you do not know me");
  await town.pass(1_000);
  alice.messenger.typing(bob.id, "typing");
  bob.messenger.typing(alice.id, "typing");
  await town.pass(1_000);
  expect(framesOf(alice)).toHaveLength(1);
  expect(framesOf(bob)).toEqual([]);
  expect([...alice.heard("typing"), ...bob.heard("typing")]).toEqual([]);
  // Let in, his keys are here already.
  await bob.messenger.acceptContact(alice.id);
  await town.pass(5_000);
  alice.messenger.typing(bob.id, "typing");
  bob.messenger.typing(alice.id, "typing");
  await town.pass(1_000);
  expect([states(alice), states(bob)]).toEqual([["typing"], ["typing"]]);
});

test("a frame under a key that is not known is dropped, and the next receipt asks for the key", async () => {
  const [alice, bob] = await town.friends();
  await town.run(bob.messenger.close());
  const store = bob.store.reopen();
  const keys = await store.range("shared-keys", { from: "held/" });
  expect(keys.length).toBeGreaterThan(0);
  await store.commit(keys.map(({ key }) => ({ table: "shared-keys" as const, key })));
  await bob.open();
  await bob.start();
  alice.messenger.typing(bob.id, "typing");
  await town.pass(3_001);
  expect(states(bob)).toEqual([]);
  await alice.says(bob, "the receipt of this says that the key is gone");
  await town.pass(5_000);
  await alice.says(bob, "and this brings it again");
  alice.messenger.typing(bob.id, "typing");
  await town.pass(10);
  expect(states(bob)).toEqual(["typing"]);
});

test("a key is used for a day; the next one is used once it has come", async () => {
  const [alice, bob] = await town.friends();
  const type = async () => {
    alice.messenger.typing(bob.id, "typing");
    await town.pass(3_001);
    return keyIdOf(framesOf(alice).at(-1));
  };
  const first = await type();
  await town.pass(DAY_MS - 60_000);
  await alice.says(bob, "not yet");
  await town.pass(5_000);
  expect(await type()).toBe(first);
  await town.pass(120_000);
  expect(await type()).toBe(first);
  await alice.says(bob, "with the new key");
  await town.pass(5_000);
  const second = await type();
  expect(second).not.toBe(first);
  await town.pass(10_000);
  const shown = states(bob).filter((state) => state !== "stopped");
  expect(shown).toHaveLength(4);
});

test("who is blocked learns nothing more, and let in again he has another key", async () => {
  const [alice, bob] = await town.friends();
  bob.messenger.typing(alice.id, "typing");
  await town.pass(10_000);
  expect(states(alice)).toEqual(["typing", "stopped"]);
  const first = keyIdOf(framesOf(bob).at(-1));
  await bob.messenger.blockContact(alice.id);
  alice.messenger.typing(bob.id, "typing");
  bob.messenger.typing(alice.id, "typing");
  await town.pass(10_000);
  expect(framesOf(bob)).toHaveLength(1);
  expect(states(bob)).toEqual([]);
  await bob.messenger.acceptContact(alice.id);
  await bob.says(alice, "sorry");
  await town.pass(5_000);
  bob.messenger.typing(alice.id, "typing");
  await town.pass(1_000);
  expect(states(alice).at(-1)).toBe("typing");
  expect(keyIdOf(framesOf(bob).at(-1))).not.toBe(first);
});

describe("a server that tampers", () => {
  async function between(change: (envelope: Envelope) => readonly Envelope[]): Promise<Citizen> {
    const [alice, bob] = await town.friends();
    bob.down = (frame) => {
      const { response } = decodeServerFrame(frame);
      if (response.case !== "live") return [frame];
      return change(response.value.envelope as Envelope).map((envelope) =>
        encodeServerFrame({ response: { case: "live", value: { envelope } } }),
      );
    };
    alice.messenger.typing(bob.id, "typing");
    await town.pass(3_001);
    return bob;
  }

  test("shows an old frame to nobody", async () => {
    let first: Envelope | undefined;
    const bob = await between((envelope) => {
      first ??= envelope;
      return [first, first];
    });
    const alice = town.people[0] as Citizen;
    alice.messenger.typing(bob.id, "typing");
    await town.pass(3_001);
    expect(states(bob)).toEqual(["typing"]);
    await town.pass(10_000);
    await bob.restart();
    alice.messenger.typing(bob.id, "typing");
    await town.pass(3_001);
    expect(states(bob)).toEqual(["typing", "stopped"]);
  });

  test("cannot hold a frame back for a minute, nor change who sent it or what it says", async () => {
    for (const change of [
      (envelope: Envelope) => ({ ...envelope, acceptedAtMs: envelope.acceptedAtMs + 61_000n }),
      (envelope: Envelope) => ({ ...envelope, sourceDevice: 2 }),
      (envelope: Envelope) => ({ ...envelope, ciphertext: flipped(envelope.ciphertext) }),
      (envelope: Envelope) => ({ ...envelope, ciphertext: envelope.ciphertext.subarray(0, 96) }),
    ]) {
      town = new Town();
      expect(states(await between((envelope) => [change(envelope)]))).toEqual([]);
    }
    town = new Town();
    expect(states(await between((envelope) => [envelope]))).toEqual(["typing"]);
  });
});

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[40] = (copy[40] as number) ^ 1;
  return copy;
}
