import { DeliveryClass, ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { connect, testServer } from "../fixtures/embedded.ts";
import { randomBytes } from "../fixtures/keys.ts";
import { ManualClock, settled } from "../fixtures/manual-clock.ts";
import { Person } from "../fixtures/person.ts";
import { talk } from "../fixtures/talk.ts";
import type { WireClient } from "../fixtures/wire-client.ts";

test("finds a handle as a whole, in either case, and nothing by a part of it", async () => {
  const { bob, a } = await talk();
  const lookUp = (handle: string) =>
    a.request("lookUpHandle", { case: "lookUpHandle", value: { handle } });
  expect((await lookUp("BOB")).accountId).toEqual(bob.accountId);
  for (const handle of ["bobb", "bo*", "b%b", "not/one"])
    await expect(lookUp(handle)).rejects.toMatchObject({ code: ErrorCode.NOT_FOUND });
});

test("keeps a sealed profile for whoever asks", async () => {
  const { bob, a, b } = await talk();
  const fetchProfile = async (person: Person) =>
    (
      await a.request("fetchProfile", {
        case: "fetchProfile",
        value: { accountId: person.accountId },
      })
    ).sealedProfile;
  expect(await fetchProfile(bob)).toEqual(new Uint8Array());
  const sealedProfile = randomBytes(500);
  await b.request("setProfile", { case: "setProfile", value: { sealedProfile } });
  expect(await fetchProfile(bob)).toEqual(sealedProfile);
  await expect(fetchProfile(new Person("carol"))).rejects.toMatchObject({
    code: ErrorCode.NOT_FOUND,
  });
});

function live(person: Person, more: object = {}) {
  const ciphertext = randomBytes(97);
  ciphertext[0] = 0x01;
  const envelope = { id: randomBytes(16), deliveryClass: DeliveryClass.LIVE, ciphertext };
  return {
    request: {
      case: "sendLive" as const,
      value: {
        recipient: { case: "accountId" as const, value: person.accountId },
        envelope: { ...envelope, ...more },
      },
    },
  };
}

test("hands a live frame to whoever is connected, and stores it for nobody", async () => {
  const { server, alice, bob, a, b } = await talk();
  const frame = live(bob);
  a.sendFrame(frame);
  const { envelope } = await b.frame("live");
  expect(envelope?.ciphertext).toEqual(frame.request.value.envelope.ciphertext);
  expect(envelope?.sourceAccount).toEqual(alice.accountId);
  b.wire?.close();
  await settled();
  a.sendFrame(live(bob));
  a.sendFrame(live(bob, { deliveryClass: DeliveryClass.DURABLE }));
  await a.drain();
  const back = connect(server);
  await back.hello(bob);
  await back.drain();
  expect(back.frames.map(({ response }) => response.case)).not.toContain("live");
  expect(back.delivered).toEqual([]);
});

const put = (client: WireClient, address: Uint8Array, step: number, payload: Uint8Array) =>
  client.request("putLinkStep", { case: "putLinkStep", value: { address, step, payload } });
const take = (client: WireClient, address: Uint8Array, step: number, waitMs = 0) =>
  client.request("takeLinkStep", { case: "takeLinkStep", value: { address, step, waitMs } });

test("passes steps of linking between two who have not logged in", async () => {
  const clock = new ManualClock();
  const server = testServer({ clock });
  const [newcomer, linker] = [connect(server), connect(server)];
  const address = randomBytes(16);
  const waiting = take(newcomer, address, 1, 30_000);
  await put(linker, address, 1, Uint8Array.of(1, 2));
  expect((await waiting).payload).toEqual(Uint8Array.of(1, 2));
  await put(linker, address, 1, Uint8Array.of(1, 2));
  await expect(put(linker, address, 1, Uint8Array.of(3))).rejects.toMatchObject({
    code: ErrorCode.NOT_ALLOWED,
  });
  await expect(take(linker, randomBytes(16), 1)).rejects.toMatchObject({
    code: ErrorCode.NOT_FOUND,
  });
  const never = expect(take(linker, address, 2, 30_000)).rejects.toMatchObject({
    code: ErrorCode.NOT_FOUND,
  });
  await settled();
  await clock.pass(30_000);
  await never;
  await clock.pass(10 * 60_000);
  const anew = connect(server);
  await expect(take(anew, address, 1)).rejects.toMatchObject({ code: ErrorCode.NOT_FOUND });
});

test("says which requests it does not know yet", async () => {
  const { a } = await talk();
  for (const request of [{ case: "setPushEndpoint" as const, value: {} }])
    await expect(a.request(request.case, request)).rejects.toMatchObject({
      code: ErrorCode.UNSUPPORTED,
    });
});
