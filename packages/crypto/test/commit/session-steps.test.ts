import { beforeEach, describe, expect, test } from "vitest";
import {
  encodeSessionRecord,
  encrypt,
  type Kept,
  SessionSteps,
  type Staged,
  type StagedDecryption,
} from "../../src/index.ts";
import { PaperStore, type PaperTransaction } from "../fixtures/paper-store.ts";
import { Party, run } from "../fixtures/party.ts";

const misuse = expect.objectContaining({ code: "misuse" });
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (of: string) => new TextEncoder().encode(of);

class Side {
  readonly party: Party;
  readonly store: PaperStore;
  readonly steps: SessionSteps<PaperTransaction>;

  constructor(name: string) {
    this.party = new Party(name);
    this.store = new PaperStore((needs) => {
      const { signed, oneTime } = this.party;
      return {
        signedPrekey: signed,
        oneTimePrekey: oneTime.get(needs.oneTimePrekeyId ?? 0),
        lastResortPrekey: undefined,
        lastResortUsed: false,
      };
    });
    this.steps = new SessionSteps({ store: this.store, run });
  }

  async begin(other: Side): Promise<void> {
    this.party.begin(other.party);
    const record = this.party.record(other.party);
    if (record === undefined) throw new Error("no session");
    await this.store.transact(async (tx) => {
      const { remote } = this.party.context(other.party);
      tx.rows.set(
        `session/${Buffer.from(remote.accountId).toString("hex")}`,
        encodeSessionRecord(record),
      );
    });
  }

  async stage(tx: PaperTransaction, other: Side, content: string) {
    const context = this.party.context(other.party);
    const staged = await this.steps.encrypt(tx, context, bytes(content));
    if (staged === undefined) throw new Error("no session that can send");
    return staged;
  }

  async send(other: Side, content: string): Promise<Uint8Array> {
    const kept = await this.store.transact(async (tx) =>
      (await this.stage(tx, other, content)).commit(tx),
    );
    return kept.released;
  }

  read(tx: PaperTransaction, other: Side, ciphertext: Uint8Array) {
    return this.steps.decrypt(tx, this.party.context(other.party), ciphertext);
  }
}

function contentOf(read: StagedDecryption<PaperTransaction>) {
  if (read.kind !== "content") throw new Error(read.kind);
  return read.content;
}

let alice: Side;
let bob: Side;
beforeEach(async () => {
  alice = new Side("alice");
  bob = new Side("bob");
  await alice.begin(bob);
});

test("a message goes through: staged, committed, released", async () => {
  const ciphertext = await alice.send(bob, "hello");
  const kept = await bob.store.transact(async (tx) =>
    contentOf(await bob.read(tx, alice, ciphertext)).commit(tx),
  );
  expect(text(kept.released)).toBe("hello");
});

describe("what is staged", () => {
  test("changes nothing, and dropped was never there", async () => {
    const before = alice.store.rows;
    await alice.store.transact(async (tx) => {
      await alice.stage(tx, bob, "dropped");
    });
    expect(alice.store.writes).toBe(0);
    expect(alice.store.rows).toEqual(before);
    // The next message is the first.
    const ciphertext = await alice.send(bob, "kept");
    const again = await bob.store.transact(async (tx) => {
      const first = await bob.read(tx, alice, ciphertext);
      const second = await bob.read(tx, alice, ciphertext);
      return [text((await contentOf(first).commit(tx)).inside(tx)), second.kind];
    });
    expect(again).toEqual(["kept", "content"]);
  });

  test("shows neither ciphertext nor plaintext, whoever looks", async () => {
    await alice.store.transact(async (tx) => {
      const staged = await alice.stage(tx, bob, "secret");
      expect(Object.keys(staged)).toEqual([]);
      expect(JSON.stringify(staged)).toBe("{}");
      // @ts-expect-error a Staged has no value to read
      expect(staged.value).toBeUndefined();
      // @ts-expect-error nor is it the bytes
      const sent: Uint8Array = staged;
      expect(sent).not.toBeInstanceOf(Uint8Array);
    });
  });

  test("is committed once, and not after another step of the same session", async () => {
    await alice.store.transact(async (tx) => {
      const one = await alice.stage(tx, bob, "one");
      const two = await alice.stage(tx, bob, "two");
      await one.commit(tx);
      await expect(one.commit(tx)).rejects.toThrow(misuse);
      // From the same state: its message key would be used twice.
      await expect(two.commit(tx)).rejects.toThrow(misuse);
      await (await alice.stage(tx, bob, "three")).commit(tx);
    });
    expect(alice.store.writes).toBe(2);
  });

  test("is committed while others' sessions step", async () => {
    const carol = new Side("carol");
    await alice.begin(carol);
    await alice.store.transact(async (tx) => {
      const toBob = await alice.stage(tx, bob, "one");
      const toCarol = await alice.stage(tx, carol, "two");
      await toCarol.commit(tx);
      await toBob.commit(tx);
    });
    expect(alice.store.writes).toBe(2);
  });

  test("is committed in the transaction that read its state, and in no other", async () => {
    let kept: Staged<PaperTransaction, Uint8Array> | undefined;
    await alice.store.transact(async (tx) => {
      kept = await alice.stage(tx, bob, "late");
    });
    await alice.send(bob, "meanwhile");
    await alice.store.transact(async (tx) => {
      await expect(kept?.commit(tx)).rejects.toThrow(misuse);
    });
    expect(alice.store.writes).toBe(1);
  });

  test("of a message that was read twice gives one of the two", async () => {
    const ciphertext = await alice.send(bob, "hello");
    await bob.store.transact(async (tx) => {
      const first = contentOf(await bob.read(tx, alice, ciphertext));
      const second = contentOf(await bob.read(tx, alice, ciphertext));
      await first.commit(tx);
      await expect(second.commit(tx)).rejects.toThrow(misuse);
      expect((await bob.read(tx, alice, ciphertext)).kind).toBe("repeat");
    });
  });
});

describe("what is kept", () => {
  test("is there inside its transaction, and for the world after the commit only", async () => {
    let outside: Kept<Uint8Array> | undefined;
    await alice.store.transact(async (tx) => {
      const kept = await (await alice.stage(tx, bob, "x")).commit(tx);
      outside = kept;
      expect(() => kept.released).toThrow(misuse);
      tx.rows.set("outbox", kept.inside(tx));
      tx.afterCommit(() => expect(kept.released).toBe(tx.rows.get("outbox")));
    });
    expect(outside?.released).toEqual(alice.store.rows.get("outbox"));
    await alice.store.transact(async (tx) => {
      expect(() => outside?.inside(tx)).toThrow(misuse);
    });
  });

  test("never comes out where the commit failed, and the session is where it was", async () => {
    const ciphertext = await alice.send(bob, "once");
    let lost: Kept<Uint8Array> | undefined;
    bob.store.failing = true;
    const failed = bob.store.transact(async (tx) => {
      lost = await contentOf(await bob.read(tx, alice, ciphertext)).commit(tx);
    });
    await expect(failed).rejects.toThrow("the disk is full");
    expect(() => lost?.released).toThrow(misuse);
    bob.store.failing = false;
    const kept = await bob.store.transact(async (tx) =>
      contentOf(await bob.read(tx, alice, ciphertext)).commit(tx),
    );
    expect(text(kept.released)).toBe("once");
  });

  test("writes the prekey's use with the session that it began", async () => {
    const ciphertext = await alice.send(bob, "first");
    bob.store.failing = true;
    await expect(
      bob.store.transact(async (tx) => contentOf(await bob.read(tx, alice, ciphertext)).commit(tx)),
    ).rejects.toThrow();
    expect([...bob.store.rows.keys()]).toEqual([]);
    bob.store.failing = false;
    await bob.store.transact(async (tx) =>
      contentOf(await bob.read(tx, alice, ciphertext)).commit(tx),
    );
    const kinds = [...bob.store.rows.keys()].map((key) => key.split("/")[0]);
    expect(kinds.sort()).toEqual(["session", "used"]);
  });
});

test("without a session that can send there is nothing to stage", async () => {
  const context = bob.party.context(alice.party);
  await bob.store.transact(async (tx) => {
    expect(await bob.steps.encrypt(tx, context, bytes("x"))).toBeUndefined();
  });
});

test("content without its padding makes no step", async () => {
  const context = alice.party.context(bob.party);
  const record = alice.party.record(bob.party);
  if (record === undefined) throw new Error("no session");
  const { ciphertext } = run(encrypt(record, context, new Uint8Array(50)));
  await bob.store.transact(async (tx) => {
    expect(await bob.read(tx, alice, ciphertext)).toEqual({
      kind: "undecryptable",
      cause: "malformed",
    });
    expect((await bob.read(tx, alice, ciphertext)).kind).toBe("undecryptable");
  });
  expect(bob.store.writes).toBe(0);
});
