import { ErrorCode } from "@parley/protocol";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { DeviceAddress } from "../../src/ports/device-address.ts";
import type { Delivery, MailboxStore } from "../../src/ports/mailbox-store.ts";
import { delivery, deviceOf, textIn } from "../fixtures/rows.ts";

export interface MailboxHarness {
  readonly store: MailboxStore;
  /** A device is listed. */
  begin(mailbox: DeviceAddress): Promise<void>;
  /** A device is listed no more. */
  end(mailbox: DeviceAddress): Promise<void>;
  /** Until what was to be removed is gone. */
  removals(): Promise<void>;
  pass(ms: number): Promise<void>;
}

const greater = (a: bigint, b: bigint): bigint => (b > a ? b : a);

const DAY_MS = 24 * 60 * 60 * 1000;

/** As small as the tests need them. */
export const CONTRACT_LIMITS = {
  envelopesMax: 8,
  bytesMax: 10_000,
  envelopesPerSourceMax: 5,
  awayMsMax: 90 * DAY_MS,
};

const sender = deviceOf("sender");
const phone = deviceOf("alice", 1);
const laptop = deviceOf("alice", 2);
const bob = deviceOf("bob");

/** What every MailboxStore promises. Each adapter's test calls this with a way to open an empty one. */
export function mailboxStoreContract(open: () => Promise<MailboxHarness>): void {
  let harness: MailboxHarness;
  let store: MailboxStore;
  const openFresh = async () => {
    harness = await open();
    store = harness.store;
    for (const each of [sender, phone, laptop, bob]) await harness.begin(each);
  };
  beforeEach(openFresh);

  const append = (...deliveries: Delivery[]) =>
    store.append({ sender, stateNumber: 0n, deliveries });
  const appended = async (...deliveries: Delivery[]) => {
    const outcome = await append(...deliveries);
    if (outcome.kind !== "appended") throw new Error(outcome.kind);
    return outcome;
  };
  const waiting = async (mailbox: DeviceAddress) =>
    (await store.open(mailbox).next(100)).map(textIn);

  test("gives a device its own envelopes, oldest first", async () => {
    await append(delivery(phone, "a"), delivery(laptop, "b"), delivery(phone, "c"));
    expect(await waiting(phone)).toEqual(["a", "c"]);
    expect(await waiting(laptop)).toEqual(["b"]);
  });

  test("gives the bytes as they came", async () => {
    const sent = delivery(phone, "a");
    await append(sent);
    expect((await store.open(phone).next(1))[0]?.bytes).toEqual(sent.bytes);
  });

  test("gives at most as many as asked for, and then goes on", async () => {
    await append(delivery(phone, "a"), delivery(phone, "b"), delivery(phone, "c"));
    const reader = store.open(phone);
    expect((await reader.next(2)).map(textIn)).toEqual(["a", "b"]);
    expect((await reader.next(2)).map(textIn)).toEqual(["c"]);
    expect(await reader.next(2)).toEqual([]);
  });

  test("gives an open reader what comes later, also after all before it was removed", async () => {
    await append(delivery(phone, "a"));
    const reader = store.open(phone);
    const rows = (await reader.next(1)).map(({ row }) => row);
    const removed = store.remove(phone, rows);
    await harness.removals();
    await removed;
    await append(delivery(phone, "b"));
    expect((await reader.next(1)).map(textIn)).toEqual(["b"]);
  });

  test("answers under a mark that grows", async () => {
    const first = await appended(delivery(phone, "a"));
    const second = await appended(delivery(phone, "b"));
    expect(second.mark).toBeGreaterThan(first.mark);
  });

  test("keeps one copy of a repeat, and answers it with the mark of its own commit", async () => {
    const first = await appended(delivery(phone, "a", "text", { acceptedAtMs: 1 }));
    const again = await appended(delivery(phone, "a", "text", { acceptedAtMs: 2 }));
    expect(again.mark).toBeGreaterThan(first.mark);
    expect(await waiting(phone)).toEqual(["text"]);
  });

  test("refuses the same id with other bytes, and stores nothing of that send", async () => {
    await append(delivery(phone, "a", "one"));
    await expect(append(delivery(laptop, "b"), delivery(phone, "a", "two"))).rejects.toMatchObject({
      code: ErrorCode.ENVELOPE_ID_TAKEN,
    });
    expect(await waiting(phone)).toEqual(["one"]);
    expect(await waiting(laptop)).toEqual([]);
  });

  test("takes an id again once its row is gone", async () => {
    await append(delivery(phone, "a", "one"));
    const removed = store.remove(
      phone,
      (await store.open(phone).next(1)).map(({ row }) => row),
    );
    await harness.removals();
    await removed;
    await append(delivery(phone, "a", "two"));
    expect(await waiting(phone)).toEqual(["two"]);
  });

  test("stores nothing where one of the mailboxes is gone", async () => {
    await harness.end(laptop);
    expect(await append(delivery(phone, "a"), delivery(laptop, "b"))).toEqual({
      kind: "mailbox-gone",
    });
    expect(await waiting(phone)).toEqual([]);
  });

  test("gives a device that takes a removed one's id an empty mailbox", async () => {
    await append(delivery(laptop, "a"));
    const reader = store.open(laptop);
    await harness.end(laptop);
    await harness.begin(laptop);
    await append(delivery(laptop, "b"));
    expect(await waiting(laptop)).toEqual(["b"]);
    expect(await reader.next(10)).toEqual([]);
  });

  test("removes what was acknowledged and nothing else", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 8 }), async (isAcked) => {
        await openFresh();
        const texts = isAcked.map((_, i) => `m${i}`);
        // Of two accounts, because of the limit for each.
        for (const [i, text] of texts.entries()) {
          const source = deviceOf(`sender${i % 2}`);
          await harness.begin(source).catch(() => undefined);
          const deliveries = [delivery(phone, text, text, { source })];
          await store.append({ sender: source, stateNumber: 0n, deliveries });
        }
        const read = await store.open(phone).next(100);
        const acked = read.filter((_, i) => isAcked[i]).map(({ row }) => row);
        const removed = store.remove(phone, acked);
        await harness.removals();
        await removed;
        expect(await waiting(phone)).toEqual(texts.filter((_, i) => !isAcked[i]));
      }),
      { numRuns: 25 },
    ));

  describe("with limits", () => {
    const fill = async (mailbox: DeviceAddress, count: number) => {
      for (let i = 0; i < count; i++) await append(delivery(mailbox, `${mailbox.deviceId} ${i}`));
    };

    test("skips a mailbox that is full, marks it, and stores the rest", async () => {
      await fill(phone, CONTRACT_LIMITS.envelopesPerSourceMax);
      const { skipped } = await appended(delivery(phone, "a"), delivery(laptop, "b"));
      expect(skipped).toEqual([phone]);
      expect(await waiting(laptop)).toEqual(["b"]);
      expect(await waiting(phone)).not.toContain("a");
      expect((await store.state(phone)).skipped).toBe(true);
      expect((await store.state(laptop)).skipped).toBe(false);
    });

    test("refuses as retryable where every mailbox of the recipient is full", async () => {
      await fill(bob, CONTRACT_LIMITS.envelopesPerSourceMax);
      await expect(append(delivery(bob, "a"))).rejects.toMatchObject({
        code: ErrorCode.MAILBOX_FULL,
        retryAfterMs: expect.any(Number),
      });
      expect((await store.state(bob)).skipped).toBe(false);
    });

    test("answers a repeat of what a full mailbox holds", async () => {
      await fill(bob, CONTRACT_LIMITS.envelopesPerSourceMax);
      expect((await appended(delivery(bob, "1 0"))).skipped).toEqual([]);
    });

    test("counts bytes too", async () => {
      const large = "x".repeat(CONTRACT_LIMITS.bytesMax - 300);
      await append(delivery(phone, "a", large));
      const { skipped } = await appended(
        delivery(phone, "b", "y".repeat(300)),
        delivery(laptop, "c"),
      );
      expect(skipped).toEqual([phone]);
    });

    test("keeps one account from filling a mailbox for the others", async () => {
      await fill(phone, CONTRACT_LIMITS.envelopesPerSourceMax);
      await harness.begin(deviceOf("carol"));
      await store.append({
        sender: deviceOf("carol"),
        stateNumber: 0n,
        deliveries: [delivery(phone, "from carol", "from carol", { source: deviceOf("carol") })],
      });
      expect(await waiting(phone)).toContain("from carol");
    });

    test("has room again once enough was removed, and keeps the mark until it is cleared", async () => {
      await fill(phone, CONTRACT_LIMITS.envelopesPerSourceMax);
      await harness.begin(deviceOf("carol"));
      for (const name of ["x", "y", "z"])
        await store.append({
          sender: deviceOf("carol"),
          stateNumber: 0n,
          deliveries: [delivery(phone, name, name, { source: deviceOf("carol") })],
        });
      await append(delivery(phone, "a"), delivery(laptop, "b"));
      expect(await store.state(phone)).toMatchObject({ skipped: true, hasRoom: false });
      const rows = (await store.open(phone).next(4)).map(({ row }) => row);
      const removed = store.remove(phone, rows);
      await harness.removals();
      await removed;
      expect(await store.state(phone)).toMatchObject({ skipped: true, hasRoom: true });
      await store.clearSkipped(phone);
      expect((await store.state(phone)).skipped).toBe(false);
    });
  });

  describe("where a device is away for long", () => {
    // Whole days are kept, so a device may count as here for most of another one.
    const beyond = CONTRACT_LIMITS.awayMsMax + 2 * DAY_MS;

    test("skips and marks it, and gives it what comes once it was seen", async () => {
      await harness.pass(beyond);
      store.seen(laptop, 0n);
      const { skipped } = await appended(delivery(phone, "a"), delivery(laptop, "b"));
      expect(skipped).toEqual([phone]);
      expect(await store.state(phone)).toMatchObject({ skipped: true, hasRoom: true });
      store.seen(phone, 0n);
      const later = await appended(delivery(phone, "c"), delivery(laptop, "d"));
      expect(later.skipped).toEqual([]);
      expect(await waiting(phone)).toEqual(["c"]);
      expect((await store.state(phone)).skipped).toBe(true);
    });

    test("refuses as retryable where it is the only one", async () => {
      await harness.pass(beyond);
      await expect(append(delivery(bob, "a"))).rejects.toMatchObject({
        code: ErrorCode.MAILBOX_FULL,
      });
      expect((await store.state(bob)).skipped).toBe(false);
      store.seen(bob, 0n);
      await append(delivery(bob, "b"));
      expect(await waiting(bob)).toEqual(["b"]);
    });

    test("keeps what it has for as long as it may come back", async () => {
      await append(delivery(bob, "a"));
      await harness.pass(CONTRACT_LIMITS.awayMsMax - DAY_MS);
      expect((await appended(delivery(bob, "b"))).skipped).toEqual([]);
      expect(await waiting(bob)).toEqual(["a", "b"]);
    });
  });

  test("keeps the highest state number, from sends and from the device itself", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })), {
          maxLength: 6,
        }),
        async (told) => {
          await openFresh();
          for (const [isSend, stateNumber] of told)
            if (isSend) await store.append({ sender: bob, stateNumber, deliveries: [] });
            else store.seen(bob, stateNumber);
          const highest = told.map(([, each]) => each).reduce(greater, 0n);
          expect((await store.state(bob)).highestStateNumber).toBe(highest);
          await harness.removals();
          expect((await store.state(bob)).highestStateNumber).toBe(highest);
        },
      ),
      { numRuns: 25 },
    ));
}
