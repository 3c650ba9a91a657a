import { ErrorCode, toHex } from "@parley/protocol";
import { expect, test } from "vitest";
import { connect, testServer } from "../fixtures/embedded.ts";
import { randomBytes, type SigningKey, signingKey } from "../fixtures/keys.ts";
import { Person } from "../fixtures/person.ts";
import type { WireClient } from "../fixtures/wire-client.ts";

async function start(
  client: WireClient,
  root: SigningKey,
  more: { origin?: string; nonce?: Uint8Array } = {},
) {
  const { nonce } = await client.frame("challenge");
  const origin = more.origin ?? client.origin;
  const bytes = Buffer.from(origin);
  const body = Buffer.concat([
    Uint8Array.of(bytes.length >> 8, bytes.length & 0xff),
    bytes,
    more.nonce ?? nonce,
  ]);
  const signature = root.sign("Parley recovery login v1", body);
  const value = { version: 1, origin, rootKey: root.publicKey, signature };
  return client.request("startRecovery", { case: "startRecovery", value });
}

function append(client: WireClient, entry: { body: Uint8Array; signature: Uint8Array }) {
  const value = { entry };
  return client.request("appendAccountEntry", { case: "appendAccountEntry", value });
}

test("the root begins an era before any login, and who it does not list is shut out", async () => {
  const server = testServer();
  const alice = new Person("alice");
  const phone = connect(server);
  const { receipt } = await phone.signUp(alice);
  await phone.hello(alice);

  const found = connect(server);
  const started = await start(found, alice.root);
  expect(started).toMatchObject({ handle: "alice", receipt });
  expect(started.entries.map(({ body }) => toHex(body))).toEqual([
    toHex((alice.entries[0] as { body: Uint8Array }).body),
  ]);
  const browser = alice.newDevice(2);
  const value = { devices: [browser.entry] };
  const entry = alice.rootEntry({ case: "setDevices", value }, [browser]);
  expect((await append(found, entry)).outcome.case).toBe("accepted");
  expect((await append(connect(server), entry)).outcome.case).toBe("accepted");
  await phone.closed;
  alice.entries.push(entry);
  await expect(connect(server).hello(alice)).rejects.toMatchObject({
    code: ErrorCode.LOGIN_REFUSED,
  });
  await found.hello(alice, { device: browser });
});

test("before login no device's entry is taken, nor one that is not of the root", async () => {
  const server = testServer();
  const alice = new Person("alice");
  await connect(server).signUp(alice);
  const tablet = alice.newDevice(2);
  const linked = alice.deviceEntry(alice.phone, { case: "addDevice", value: tablet.entry }, [
    alice.phone,
    tablet,
  ]);
  await expect(append(connect(server), linked)).rejects.toMatchObject({
    code: ErrorCode.OUT_OF_TURN,
  });
  const garbage = { body: randomBytes(40), signature: randomBytes(64) };
  await expect(append(connect(server), garbage)).rejects.toMatchObject({
    code: ErrorCode.INVALID_ACCOUNT_ENTRY,
  });
  const nobody = new Person("nobody");
  await expect(append(connect(server), nobody.entries[0] as never)).rejects.toMatchObject({
    code: ErrorCode.NOT_FOUND,
  });
});

test("a chain is shown to nobody but to who signs this connection's challenge with the root", async () => {
  const server = testServer();
  const alice = new Person("alice");
  await connect(server).signUp(alice);
  const refused = { code: ErrorCode.LOGIN_REFUSED };
  await expect(
    start(connect(server), alice.root, { nonce: randomBytes(32) }),
  ).rejects.toMatchObject(refused);
  const origin = "https://elsewhere.example";
  await expect(start(connect(server), alice.root, { origin })).rejects.toMatchObject(refused);
  const thief: SigningKey = { ...signingKey(), publicKey: alice.root.publicKey };
  await expect(start(connect(server), thief)).rejects.toMatchObject(refused);
  await expect(start(connect(server), signingKey())).rejects.toMatchObject({
    code: ErrorCode.NOT_FOUND,
  });
});
