import { BraidPhase, type PqRatchet } from "@parley/protocol";
import { describe, expect, test } from "vitest";
import { CryptoError, runSync } from "../../src/index.ts";
import { nodeProvider } from "../../src/platform/node.ts";
import { decodeBraidMessage, encodeBraidMessage } from "../../src/spqr/braid-message.ts";
import { CHUNK_INDEX_MAX, chunkOf } from "../../src/spqr/erasure-code.ts";
import { newPqRatchet, pqReceive, pqSend, pqStepsTo } from "../../src/spqr/pq-ratchet.ts";
import { forged } from "../fixtures/forgery.ts";
import { Party, run } from "../fixtures/party.ts";
import { seededRandom } from "../fixtures/random.ts";

const misuse = expect.objectContaining({ code: "misuse" });

/** The two ends, without a session round them. */
class Ends {
  readonly random = seededRandom("ends");
  ratchets: [PqRatchet, PqRatchet] = [
    newPqRatchet(true, new Uint8Array(32)),
    newPqRatchet(false, new Uint8Array(32)),
  ];

  /** From that end to the other: what came of it. */
  pass(from: 0 | 1) {
    const sent = run(pqSend(this.ratchets[from], this.random));
    this.ratchets[from] = sent.ratchet;
    const to = (1 - from) as 0 | 1;
    const received = run(pqReceive(this.ratchets[to], decodeBraidMessage(sent.message), 0));
    if (received.kind === "key") {
      expect(received.key).toEqual(sent.key);
      this.ratchets[to] = received.ratchet;
    }
    return received;
  }

  phase(end: 0 | 1): BraidPhase | undefined {
    return this.ratchets[end].braid?.phase;
  }

  until(isThere: () => boolean): void {
    for (let n = 0; !isThere(); n++) {
      if (n > 2000) throw new Error("never there");
      this.pass((n % 2) as 0 | 1);
    }
  }
}

describe("a braid message is refused", () => {
  const none = [...encodeBraidMessage({ epoch: 1n, index: 1, payload: { kind: "none" } })];
  const chunk = { index: 3, data: new Uint8Array(32) };
  const header = [
    ...encodeBraidMessage({ epoch: 1n, index: 1, payload: { kind: "header", chunk } }),
  ];

  test("unless it is plain (the control)", () => {
    expect(decodeBraidMessage(Uint8Array.from(none)).payload.kind).toBe("none");
    expect(decodeBraidMessage(Uint8Array.from(header)).payload).toEqual({ kind: "header", chunk });
  });

  test.each([
    ["of another version", [2, ...none.slice(1)]],
    ["of epoch 0", [1, 0, ...none.slice(2)]],
    ["with an epoch that is longer than it needs to be", [1, 0x81, 0, ...none.slice(2)]],
    ["with an epoch above 64 bits", [1, ...new Array(9).fill(0xff), 0x02, ...none.slice(2)]],
    ["with an index above 32 bits", [1, 1, 0xff, 0xff, 0xff, 0xff, 0x1f, 0]],
    ["with a number that does not end", [1, ...new Array(12).fill(0x80)]],
    ["with a chunk above 16 bits", [1, 1, 1, 1, 0x80, 0x80, 4, ...chunk.data]],
    ["of a type that is not known", [...none.slice(0, -1), 7]],
    ["that is cut off", none.slice(0, -1)],
    ["whose chunk is cut off", header.slice(0, -1)],
    ["that goes on", [...none, 0]],
    ["whose chunk goes on", [...header, 0]],
    ["that is empty", []],
  ])("%s", (_, bytes) => {
    expect(() => decodeBraidMessage(Uint8Array.from(bytes))).toThrow(CryptoError);
  });

  test("not for its largest epoch", () => {
    const epoch = 2n ** 64n - 1n;
    const largest = encodeBraidMessage({ epoch, index: 0xffff_ffff, payload: { kind: "none" } });
    expect(decodeBraidMessage(largest)).toEqual({
      epoch,
      index: 0xffff_ffff,
      payload: { kind: "none" },
    });
  });
});

describe("an epoch", () => {
  test.each([1n, 2n, 5n, 1_000_000n])("that has not begun, %d ahead, is nobody's", (ahead) => {
    const [alice, bob] = [new Party("alice"), new Party("bob")];
    alice.begin(bob);
    bob.read(alice, alice.say(bob, "one"));
    alice.read(bob, bob.say(alice, "two"));
    const ordinary = alice.say(bob, "ordinary");
    expect(bob.read(alice, forged(ordinary, { epoch: (epoch) => epoch + ahead }))).toBe(
      "(not-authentic)",
    );
    expect(bob.read(alice, ordinary)).toBe("ordinary");
  });

  test("begins with the next number only, and with what was sent whole", () => {
    const ends = new Ends();
    ends.until(() => ends.phase(1) === BraidPhase.CT2_SAMPLED);
    const ratchet = ends.ratchets[1];
    const epoch = ratchet.braid?.epoch as bigint;
    const receive = (at: bigint) =>
      run(pqReceive(ratchet, { epoch: at, index: 900, payload: { kind: "none" } }, 0));
    // Its secret is there, so the next one's messages are read.
    expect(receive(epoch + 1n).kind).toBe("key");
    expect(receive(epoch + 2n)).toEqual({ kind: "failed", cause: "not-authentic" });
  });

  test("that is long over has no keys", () => {
    const ends = new Ends();
    ends.until(() => (ends.ratchets[0].braid?.epoch ?? 0n) > 6n);
    const old = { epoch: 1n, index: 5000, payload: { kind: "none" } } as const;
    expect(run(pqReceive(ends.ratchets[0], old, 0))).toEqual({
      kind: "failed",
      cause: "not-authentic",
    });
    expect(pqStepsTo(ends.ratchets[0], old)).toBe(0);
  });

  test("counts its own steps", () => {
    const ends = new Ends();
    for (let n = 0; n < 5; n++) ends.pass(0);
    const at = (epoch: bigint, index: number) =>
      pqStepsTo(ends.ratchets[1], { epoch, index, payload: { kind: "none" } });
    expect([at(1n, 5), at(1n, 9), at(2n, 9)]).toEqual([0, 4, 0]);
  });
});

describe("a key that the other side did not make", () => {
  test("is refused where it is not its header's", () => {
    const ends = new Ends();
    ends.until(() => ends.phase(1) === BraidPhase.CT1_SAMPLED);
    const { braid } = ends.ratchets[1];
    if (braid === undefined) throw new Error("no braid");
    const header = braid.header.slice();
    header[40] = (header[40] as number) ^ 1;
    ends.ratchets[1] = { ...ends.ratchets[1], braid: { ...braid, header } };
    const outcomes: string[] = [];
    for (let n = 0; n < 200 && !outcomes.includes("failed"); n++)
      outcomes.push(ends.pass((n % 2) as 0 | 1).kind);
    expect(outcomes.at(-1)).toBe("failed");
    expect(ends.phase(1)).not.toBe(BraidPhase.CT2_SAMPLED);
  });
});

describe("a bug of the program", () => {
  test("is no message of a stranger's", () => {
    const ends = new Ends();
    const { braid: _none, ...without } = ends.ratchets[0];
    expect(() => run(pqSend(without as PqRatchet, ends.random))).toThrow(CryptoError);
    const nowhere = { ...ends.ratchets[0], epochs: [] };
    expect(() => run(pqSend(nowhere, ends.random))).toThrow(misuse);
    expect(() => chunkOf(new Uint8Array(32), CHUNK_INDEX_MAX + 1)).toThrow(misuse);
    ends.until(() => ends.phase(0) === BraidPhase.EK_SENT_CT1_RECEIVED);
    const broken = {
      answer: () => {
        throw new Error("a bug");
      },
    };
    let sent = run(pqSend(ends.ratchets[1], ends.random));
    expect(() => {
      for (let n = 0; n < 20; n++) {
        const message = decodeBraidMessage(sent.message);
        const received = runSync(broken, pqReceive(ends.ratchets[0], message, 0));
        if (received.kind === "key") ends.ratchets[0] = received.ratchet;
        sent = runSync(nodeProvider(), pqSend(sent.ratchet, ends.random));
      }
    }).toThrow("a bug");
  });
});

describe("chunks of a message", () => {
  test("begin again after the last", () => {
    const ends = new Ends();
    ends.pass(0);
    const { braid } = ends.ratchets[0];
    if (braid === undefined) throw new Error("no braid");
    ends.ratchets[0] = {
      ...ends.ratchets[0],
      braid: { ...braid, nextChunk: CHUNK_INDEX_MAX },
    };
    const indexOf = () => {
      const sent = run(pqSend(ends.ratchets[0], ends.random));
      ends.ratchets[0] = sent.ratchet;
      return decodeBraidMessage(sent.message).payload.chunk?.index;
    };
    expect([indexOf(), indexOf(), indexOf()]).toEqual([CHUNK_INDEX_MAX, 0, 1]);
  });
});
