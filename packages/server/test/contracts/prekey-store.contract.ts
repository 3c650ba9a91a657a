import { ErrorCode } from "@parley/protocol";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import type {
  PrekeyStore,
  PrekeyUpload,
  StoredOneTimePrekey,
} from "../../src/ports/prekey-store.ts";
import { randomBytes } from "../fixtures/keys.ts";
import { deviceOf } from "../fixtures/rows.ts";

const phone = deviceOf("alice", 1);
const laptop = deviceOf("alice", 2);

const lasting = (id: number) => ({ id, publicKey: randomBytes(33), signature: randomBytes(64) });
export const oneTime = (id: number): StoredOneTimePrekey => ({
  id,
  curvePublicKey: randomBytes(33),
  kyberPublicKey: randomBytes(1569),
  kyberSignature: randomBytes(64),
});
export const uploadOf = (more: Partial<PrekeyUpload> = {}): PrekeyUpload => ({
  signed: undefined,
  lastResort: undefined,
  oneTime: [],
  dropOneTimeBelow: 0,
  ...more,
});

/** What every PrekeyStore promises. */
export function prekeyStoreContract(open: () => Promise<PrekeyStore>): void {
  let store: PrekeyStore;
  beforeEach(async () => {
    store = await open();
  });
  const claimedIds = async () =>
    (await store.claim([phone], "one-time")).map((each) => each.oneTime?.id);

  test("says what it holds", async () => {
    expect(await store.held(phone)).toEqual({
      signedPrekeyId: 0,
      lastResortPrekeyId: 0,
      lowestOneTimeId: 0,
      highestOneTimeId: 0,
      oneTimeCount: 0,
    });
    const held = await store.upload(
      phone,
      uploadOf({ signed: lasting(3), lastResort: lasting(4), oneTime: [oneTime(7), oneTime(5)] }),
    );
    expect(held).toEqual({
      signedPrekeyId: 3,
      lastResortPrekeyId: 4,
      lowestOneTimeId: 5,
      highestOneTimeId: 7,
      oneTimeCount: 2,
    });
    expect(await store.held(phone)).toEqual(held);
    expect((await store.held(laptop)).oneTimeCount).toBe(0);
  });

  test("gives one-time prekeys by rising id, then the last-resort prekey again and again", async () => {
    const lastResort = lasting(1);
    const keys = [oneTime(9), oneTime(2)];
    await store.upload(phone, uploadOf({ signed: lasting(1), lastResort, oneTime: keys }));
    expect((await store.claim([phone], "one-time"))[0]?.oneTime).toEqual(keys[1]);
    expect((await store.claim([phone], "one-time"))[0]?.oneTime).toEqual(keys[0]);
    for (let i = 0; i < 2; i++) {
      const [claimed] = await store.claim([phone], "one-time");
      expect(claimed?.oneTime).toBeUndefined();
      expect(claimed?.lastResort).toEqual(lastResort);
    }
  });

  test("gives each of many claimants at once another one-time prekey", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(12), fc.integer({ min: 1, max: 16 }), async (count, claimants) => {
        store = await open();
        const keys = Array.from({ length: count }, (_, i) => oneTime(i + 1));
        await store.upload(phone, uploadOf({ signed: lasting(1), oneTime: keys }));
        const claims = await Promise.all(Array.from({ length: claimants }, claimedIds));
        const given = claims.flat().filter((id) => id !== undefined);
        expect(new Set(given).size).toBe(given.length);
        expect(given).toHaveLength(Math.min(count, claimants));
      }),
      { numRuns: 20 },
    ));

  test("leaves out a device without a signed prekey, and keeps its one-time prekeys", async () => {
    await store.upload(phone, uploadOf({ oneTime: [oneTime(1)] }));
    await store.upload(laptop, uploadOf({ signed: lasting(1), lastResort: lasting(1) }));
    expect((await store.claim([phone, laptop], "one-time")).map(({ device }) => device)).toEqual([
      laptop,
    ]);
    expect((await store.held(phone)).oneTimeCount).toBe(1);
  });

  test("changes nothing by an upload that is repeated", async () => {
    const upload = uploadOf({ signed: lasting(1), oneTime: [oneTime(1), oneTime(2)] });
    const held = await store.upload(phone, upload);
    expect(await store.upload(phone, upload)).toEqual(held);
  });

  test("does not bring back by a repeat what was given away", async () => {
    const upload = uploadOf({ signed: lasting(1), oneTime: [oneTime(1), oneTime(2)] });
    await store.upload(phone, upload);
    expect(await claimedIds()).toEqual([1]);
    await store.upload(phone, upload);
    expect(await claimedIds()).toEqual([2]);
    expect(await claimedIds()).toEqual([undefined]);
  });

  test("takes a new key under an id that was given away", async () => {
    await store.upload(phone, uploadOf({ signed: lasting(1), oneTime: [oneTime(1)] }));
    await claimedIds();
    const fresh = oneTime(1);
    await store.upload(phone, uploadOf({ oneTime: [fresh] }));
    expect((await store.claim([phone], "one-time"))[0]?.oneTime).toEqual(fresh);
  });

  test("refuses another key under an id that is there, and keeps nothing of that upload", async () => {
    await store.upload(phone, uploadOf({ signed: lasting(1), oneTime: [oneTime(1)] }));
    await expect(
      store.upload(phone, uploadOf({ signed: lasting(2), oneTime: [oneTime(2), oneTime(1)] })),
    ).rejects.toMatchObject({ code: ErrorCode.INVALID_KEY });
    expect(await store.held(phone)).toMatchObject({ signedPrekeyId: 1, oneTimeCount: 1 });
  });

  test("drops one-time prekeys below an id", async () => {
    const keys = [1, 2, 3].map(oneTime);
    await store.upload(phone, uploadOf({ signed: lasting(1), oneTime: keys }));
    const held = await store.upload(
      phone,
      uploadOf({ dropOneTimeBelow: 3, oneTime: [oneTime(4)] }),
    );
    expect(held).toMatchObject({ lowestOneTimeId: 3, highestOneTimeId: 4, oneTimeCount: 2 });
  });

  test("replaces the signed and the last-resort prekey", async () => {
    await store.upload(phone, uploadOf({ signed: lasting(1), lastResort: lasting(1) }));
    const [signed, lastResort] = [lasting(2), lasting(2)];
    await store.upload(phone, uploadOf({ signed, lastResort }));
    expect((await store.claim([phone], "one-time"))[0]).toMatchObject({ signed, lastResort });
  });
}
