import { ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { randomBytes } from "../fixtures/keys.ts";
import { Person, prekeysOf } from "../fixtures/person.ts";
import { again, talk } from "../fixtures/talk.ts";
import type { WireClient } from "../fixtures/wire-client.ts";

const upload = (client: WireClient, value: object) =>
  client.request("uploadPrekeys", { case: "uploadPrekeys", value });
const fetchBundles = async (client: WireClient, person: Person, deviceIds: number[] = []) =>
  (
    await client.request("fetchPrekeyBundles", {
      case: "fetchPrekeyBundles",
      value: { accountId: person.accountId, deviceIds },
    })
  ).bundles;

test("gives what a device left, with the registration id of its list", async () => {
  const { bob, a, b } = await talk();
  const keys = prekeysOf(bob.phone, { oneTime: [1] });
  const { held } = await upload(b, keys);
  expect(held).toMatchObject({ signedPrekeyId: 1, lastResortPrekeyId: 1, oneTimeCount: 1 });
  const [first] = await fetchBundles(a, bob);
  expect(first).toMatchObject({
    deviceId: 1,
    registrationId: bob.phone.entry.registrationId,
    signedPrekey: keys.signedPrekey,
    oneTimePrekey: keys.oneTimePrekeys[0],
  });
  expect(first?.lastResortPrekey).toBeUndefined();
  const [second] = await fetchBundles(a, bob, [1]);
  expect(second?.oneTimePrekey).toBeUndefined();
  expect(second?.lastResortPrekey).toMatchObject(keys.lastResortPrekey);
  expect(await fetchBundles(a, bob, [2])).toEqual([]);
});

test("leaves out a device that has left nothing, and does not know strangers", async () => {
  const { bob, a } = await talk();
  expect(await fetchBundles(a, bob)).toEqual([]);
  await expect(fetchBundles(a, new Person("carol"))).rejects.toMatchObject({
    code: ErrorCode.NOT_FOUND,
  });
});

test("tells at hello what it holds", async () => {
  const { server, bob, b } = await talk();
  const { held } = await upload(b, prekeysOf(bob.phone, { signed: 4, oneTime: [8, 9] }));
  expect((await (await again(server, bob)).frame("welcome")).prekeys).toEqual(held);
});

test("gives out nothing below what the device says to have, from the hello on", async () => {
  const { server, bob, a, b } = await talk();
  await upload(b, prekeysOf(bob.phone, { oneTime: [5, 6, 7] }));
  // As after a restore: 5 and 6 went out in the time that was lost, and the device has used them.
  const back = await again(server, bob, { prekeys: { lowestOneTimeId: 7 } });
  expect((await back.frame("welcome")).prekeys).toMatchObject({
    ...{ lowestOneTimeId: 7, highestOneTimeId: 7, oneTimeCount: 1 },
  });
  expect((await fetchBundles(a, bob))[0]?.oneTimePrekey?.id).toBe(7);
});

test("refuses keys that are no keys, and signatures that do not fit", async () => {
  const { alice, bob, b } = await talk();
  const { key } = bob.phone;
  const good = prekeysOf(bob.phone, { oneTime: [1] });
  const signed = (publicKey: Uint8Array) => ({
    id: 1,
    publicKey,
    signature: key.signPrekey(publicKey),
  });
  const curve = (...u: number[]) =>
    Uint8Array.from([0x05, ...u, ...Array(32).fill(0)].slice(0, 33));
  const allOnes = Uint8Array.from([0x05, ...Array(32).fill(0xff)]);
  const prime = Uint8Array.from([0x05, 0xed, ...Array(30).fill(0xff), 0x7f]);
  const kyber = good.lastResortPrekey.publicKey;
  const tooLarge = Uint8Array.from(kyber);
  tooLarge[1] = 0xff;
  tooLarge[2] = (tooLarge[2] as number) | 0x0f; // A coefficient of 4,095; q is 3,329.
  const otherType = Uint8Array.from(kyber);
  otherType[0] = 0x07;
  const turned = Uint8Array.from(good.signedPrekey.signature);
  turned[63] = (turned[63] as number) ^ 0x80;
  const oneTime = good.oneTimePrekeys[0];
  for (const wrong of [
    { signedPrekey: signed(curve(0)) },
    { signedPrekey: signed(curve(1)) },
    { signedPrekey: signed(prime) },
    { signedPrekey: signed(allOnes) },
    { signedPrekey: signed(Uint8Array.from([0x06, ...good.signedPrekey.publicKey.slice(1)])) },
    { signedPrekey: { ...good.signedPrekey, signature: turned } },
    { signedPrekey: { ...good.signedPrekey, signature: randomBytes(64) } },
    { signedPrekey: prekeysOf(alice.phone, {}).signedPrekey },
    { lastResortPrekey: signed(tooLarge) },
    { lastResortPrekey: signed(otherType) },
    { lastResortPrekey: { ...good.lastResortPrekey, signature: randomBytes(64) } },
    { oneTimePrekeys: [{ ...oneTime, curvePublicKey: curve(1) }] },
    { oneTimePrekeys: [{ ...oneTime, kyberSignature: randomBytes(64) }] },
  ])
    await expect(upload(b, wrong)).rejects.toMatchObject({ code: ErrorCode.INVALID_KEY });
  await expect(upload(b, { oneTimePrekeys: [oneTime, oneTime] })).rejects.toMatchObject({
    code: ErrorCode.INVALID_REQUEST,
  });
  expect((await upload(b, {})).held).toMatchObject({ signedPrekeyId: 0, oneTimeCount: 0 });
});

test("gives each of many who ask at once another one-time prekey", async () => {
  const { bob, a, b } = await talk();
  const ids = Array.from({ length: 30 }, (_, i) => i + 1);
  await upload(b, prekeysOf(bob.phone, { oneTime: ids }));
  const bundles = await Promise.all(ids.map(() => fetchBundles(a, bob)));
  const given = bundles.flat().map(({ oneTimePrekey }) => oneTimePrekey?.id ?? 0);
  expect(given.sort((x, y) => x - y)).toEqual(ids);
});
