import { decodeSessionRecord, encrypt, type Kept } from "@parley/crypto";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { nodeCrypto } from "../../src/platform/node/index.ts";
import { addressKey } from "../../src/sessions/device-address.ts";
import { InvalidBundleError, NoSessionError } from "../../src/sessions/sessions.ts";
import { LowerHalf } from "../fixtures/lower-half.ts";
import { PaperServer } from "../fixtures/paper-server.ts";

let server: PaperServer;
let alice: LowerHalf;
let bob: LowerHalf;

/** Made once: two hundred prekeys take their time. Each test begins with what both had then. */
const begin = await (async () => {
  const paper = new PaperServer();
  const halves = [
    await LowerHalf.open(paper, "alice"),
    await LowerHalf.open(paper, "bob"),
  ] as const;
  const [one, two] = halves;
  for (const half of halves) await half.mend();
  await one.directory.refresh(two.who.address.accountId);
  await two.directory.refresh(one.who.address.accountId);
  const kept = halves.map(
    (half) => [half, half.store.copy(), paper.shelf(half.who.address)] as const,
  );
  const shelves = kept.map(([half, , shelf]) => [half, shelf.copy(), shelf] as const);
  return async () => {
    server = paper;
    [alice, bob] = halves;
    server.shelves.clear();
    for (const [half, putBack, shelf] of shelves) {
      putBack();
      shelf.registrationId = half.who.record.registrationId;
      server.shelves.set(addressKey(half.who.address), shelf);
    }
    for (const [half, copy] of kept) {
      half.store.restore(copy);
      await half.restart();
    }
  };
})();
beforeEach(begin);

const has = (half: LowerHalf, other: LowerHalf) =>
  half.transactor.transact((tx) => half.sessions.has(tx, other.who.address));
const passes = async (text: string, from: LowerHalf, to: LowerHalf) => {
  await from.sessions.fetchMissing([to.who.address]);
  const ciphertext = await from.encrypt(to.who.address, text);
  expect(await to.decrypt(from.who.address, ciphertext)).toBe(text);
  return ciphertext;
};

describe("beginning", () => {
  test("fetches bundles where there is no session, and only there", async () => {
    expect(await has(alice, bob)).toBe(false);
    expect(await alice.sessions.fetchMissing([bob.who.address])).toEqual([]);
    expect(await has(alice, bob)).toBe(true);
    server.asked.length = 0;
    expect(await alice.sessions.fetchMissing([bob.who.address])).toEqual([]);
    expect(server.asked).toEqual([]);
  });

  test("says who has no prekeys yet, and who is not listed", async () => {
    server.shelves.clear();
    const stranger = { accountId: bob.who.address.accountId, deviceId: 9 };
    expect(await alice.sessions.fetchMissing([bob.who.address, stranger])).toEqual([
      bob.who.address,
      stranger,
    ]);
  });

  test("refuses a bundle that the listed identity did not sign", async () => {
    const mallory = await LowerHalf.open(server, "mallory");
    await mallory.mend();
    server.shelves.set(`${bob.who.address.accountId}.001`, server.shelf(mallory.who.address));
    expect(await alice.sessions.fetchMissing([bob.who.address])).toEqual([bob.who.address]);
    const bundle = server.shelf(mallory.who.address).claim(1);
    await expect(
      alice.transactor.transact((tx) => alice.sessions.begin(tx, bob.who.address, bundle as never)),
    ).rejects.toThrow(InvalidBundleError);
  });

  test("refuses a bundle under another registration id than the list has", async () => {
    server.shelf(bob.who.address).registrationId += 1;
    expect(await alice.sessions.fetchMissing([bob.who.address])).toEqual([bob.who.address]);
  });

  test("leaves a session alone that a message began while the bundle was under way", async () => {
    await bob.sessions.fetchMissing([alice.who.address]);
    const first = await bob.encrypt(alice.who.address, "first");
    server.meanwhile = async () => {
      server.meanwhile = async () => {};
      expect(await alice.decrypt(bob.who.address, first)).toBe("first");
    };
    await alice.sessions.fetchMissing([bob.who.address]);
    // An answer in bob's session is an ordinary message.
    expect((await passes("answer", alice, bob))[0]).toBe(0x02);
  });

  test("is needed before encrypting", async () => {
    await expect(alice.encrypt(bob.who.address, "x")).rejects.toThrow(NoSessionError);
  });

  test("from both sides at once converges on one session", async () => {
    await alice.sessions.fetchMissing([bob.who.address]);
    await bob.sessions.fetchMissing([alice.who.address]);
    const a = await alice.encrypt(bob.who.address, "from alice");
    const b = await bob.encrypt(alice.who.address, "from bob");
    expect(await bob.decrypt(alice.who.address, a)).toBe("from alice");
    expect(await alice.decrypt(bob.who.address, b)).toBe("from bob");
    for (const text of ["one", "two", "three"]) {
      await passes(text, alice, bob);
      await passes(text, bob, alice);
    }
    // Nobody writes prekey messages any more: both know that the other has the session.
    expect((await passes("four", alice, bob))[0]).toBe(0x02);
    expect((await passes("four", bob, alice))[0]).toBe(0x02);
  });

  test("anew goes on with the new session, and what was under way on the old one is read", async () => {
    await passes("one", alice, bob);
    await passes("two", bob, alice);
    const underWay = await alice.encrypt(bob.who.address, "under way");
    expect(await alice.sessions.renew(bob.who.address)).toBe(true);
    await passes("three", alice, bob);
    expect(await bob.decrypt(alice.who.address, underWay)).toBe("under way");
  });
});

describe("encrypting", () => {
  test("hides how long a short text is, and more where keys ride along", async () => {
    await passes("x", alice, bob);
    await passes("x", bob, alice);
    const lengthOf = async (text: string, carriesKeys = false) =>
      (
        await alice.transactor.transact((tx) =>
          alice.sessions.encrypt(tx, bob.who.address, new TextEncoder().encode(text), {
            carriesKeys,
          }),
        )
      ).released.length;
    expect(await lengthOf("y")).toBe(await lengthOf("y".repeat(254)));
    expect(await lengthOf("y", true)).toBe(await lengthOf("y".repeat(300)));
    expect(await lengthOf("y", true)).toBeGreaterThan(await lengthOf("y"));
  });

  test("raises the state number, and a transaction that throws steps no ratchet", async () => {
    await passes("x", alice, bob);
    const before = alice.stateNumber.committed;
    await alice.encrypt(bob.who.address, "x");
    expect(alice.stateNumber.committed).toBe(before + 1n);
    const copy = alice.store.copy();
    await expect(
      alice.transactor.transact(async (tx) => {
        await alice.sessions.encrypt(tx, bob.who.address, new Uint8Array(1));
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(alice.store.copy()).toEqual(copy);
  });

  test("works on in the order of one transaction", async () => {
    await alice.sessions.fetchMissing([bob.who.address]);
    const all = await alice.transactor.transact(async (tx) => {
      const made: Kept<Uint8Array>[] = [];
      for (const text of ["a", "b", "c"])
        made.push(
          await alice.sessions.encrypt(tx, bob.who.address, new TextEncoder().encode(text)),
        );
      return made;
    });
    const read: string[] = [];
    for (const one of all) read.push(await bob.decrypt(alice.who.address, one.released));
    expect(read).toEqual(["a", "b", "c"]);
  });
});

describe("decrypting", () => {
  test("takes each message once, in any order; what comes again is a repeat", async () => {
    await passes("first", alice, bob);
    await passes("answer", bob, alice);
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 1 }),
        fc.array(fc.nat({ max: 5 })),
        async (order, again) => {
          const sent: Uint8Array[] = [];
          for (let i = 0; i < 6; i++) sent.push(await alice.encrypt(bob.who.address, `${i}`));
          for (const i of order)
            expect(await bob.decrypt(alice.who.address, sent[i] as Uint8Array)).toBe(`${i}`);
          for (const i of again)
            if (order.includes(i))
              expect(await bob.decrypt(alice.who.address, sent[i] as Uint8Array)).toBe("repeat");
        },
      ),
      { numRuns: 20 },
    );
  });

  test("changes nothing where it fails", async () => {
    await passes("first", alice, bob);
    await passes("answer", bob, alice);
    const sent = await alice.encrypt(bob.who.address, "next");
    const before = bob.store.copy();
    const wrong: Record<string, Uint8Array> = {
      "(invalid)": sent.map((byte, i) => (i === sent.length - 1 ? byte ^ 1 : byte)),
      "(unknown-kind)": Uint8Array.of(0x12, ...sent.slice(1)),
    };
    for (const [cause, ciphertext] of Object.entries(wrong))
      expect(await bob.decrypt(alice.who.address, ciphertext)).toBe(cause);
    expect(bob.store.copy()).toEqual(before);
    expect(await bob.decrypt(alice.who.address, sent)).toBe("next");
  });

  test("refuses content without its padding, and steps no ratchet for it", async () => {
    await passes("first", alice, bob);
    const row = await alice.store.get("sessions", addressKey(bob.who.address));
    const { keys, record, address } = alice.who;
    const context = {
      local: { ...record, keys },
      remote: {
        accountId: bob.who.record.accountId,
        deviceId: 1,
        identity: bob.who.keys.identity,
      },
      nowMs: alice.clock.now(),
      random: (count: number) => new Uint8Array(count).fill(1),
    };
    const operation = encrypt(decodeSessionRecord(row as Uint8Array), context, new Uint8Array(50));
    const { ciphertext } = await nodeCrypto.run(operation);
    const before = bob.store.copy();
    expect(await bob.decrypt(address, ciphertext)).toBe("(invalid)");
    expect(bob.store.copy()).toEqual(before);
  });

  test("names a device that is not listed here, and one without a session", async () => {
    await passes("first", alice, bob);
    const sent = await alice.encrypt(bob.who.address, "x");
    const stranger = { accountId: alice.who.address.accountId, deviceId: 5 };
    expect(await bob.decrypt(stranger, sent)).toBe("(unknown-device)");
    await bob.transactor.transact((tx) => bob.sessions.forget(tx, alice.who.address));
    await passes("so that it is an ordinary one", alice, bob).catch(() => {});
    const ordinary = Uint8Array.of(0x02, ...(await ordinaryMessage()).slice(1));
    await bob.transactor.transact((tx) => bob.sessions.forget(tx, alice.who.address));
    expect(await bob.decrypt(alice.who.address, ordinary)).toBe("(no-session)");
  });

  test("refuses what another account's device made", async () => {
    const mallory = await LowerHalf.open(server, "mallory");
    await mallory.directory.refresh(bob.who.address.accountId);
    await bob.directory.refresh(mallory.who.address.accountId);
    await mallory.sessions.fetchMissing([bob.who.address]);
    const sent = await mallory.encrypt(bob.who.address, "I am alice");
    expect(await bob.decrypt(alice.who.address, sent)).toMatch(/wrong-identity|invalid/);
    expect(await bob.decrypt(mallory.who.address, sent)).toBe("I am alice");
  });

  async function ordinaryMessage(): Promise<Uint8Array> {
    await alice.sessions.renew(bob.who.address);
    await passes("one", alice, bob);
    await passes("two", bob, alice);
    return await alice.encrypt(bob.who.address, "three");
  }
});

describe("after a restart", () => {
  test("goes on where it was committed", async () => {
    await passes("one", alice, bob);
    const sent = await alice.encrypt(bob.who.address, "two");
    await alice.restart();
    await bob.restart();
    expect(await bob.decrypt(alice.who.address, sent)).toBe("two");
    await passes("three", bob, alice);
    await passes("four", alice, bob);
  });
});

describe("after a reset", () => {
  const reset = (half: LowerHalf) =>
    half.transactor.transact((tx) =>
      half.sessions.reset(tx, server.shelf(half.who.address).held()),
    );

  test("old sessions still read and never send again, nor come back by reading", async () => {
    await passes("one", alice, bob);
    await passes("two", bob, alice);
    const late = await bob.encrypt(alice.who.address, "late");
    await reset(alice);
    expect(await has(alice, bob)).toBe(false);
    expect(await alice.decrypt(bob.who.address, late)).toBe("late");
    expect(await has(alice, bob)).toBe(false);
    await passes("three", alice, bob);
    await passes("four", bob, alice);
  });

  test("the prekeys that the server held are replaced", async () => {
    const shelf = server.shelf(alice.who.address);
    const { signedPrekeyId, highestOneTimeId } = shelf.held();
    await reset(alice);
    await alice.mend();
    expect(shelf.held().signedPrekeyId).toBeGreaterThan(signedPrekeyId);
    expect(shelf.held().lowestOneTimeId).toBeGreaterThan(highestOneTimeId);
    expect(shelf.held().oneTimeCount).toBe(100);
    await passes("hello", bob, alice);
  });
});
