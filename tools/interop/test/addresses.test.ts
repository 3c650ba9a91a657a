import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import * as signal from "@signalapp/libsignal-client";
import { remoteOf } from "./our-device.ts";
import { Pair } from "./pair.ts";
import { Peer } from "./peer.ts";

const WITHOUT_ADDRESSES = { addressesInPrekeyMessages: false };
const TEXT = Buffer.from("hello");

test("libsignal 0.103 still reads a prekey message without addresses: demanding them is ours", async () => {
  const pair = new Pair();
  await pair.weBegin(21);
  assert.equal(await pair.peerHears(pair.ours.encrypt(TEXT, WITHOUT_ADDRESSES)), "hello");
});

test("a prekey message of ours with other addresses is refused by libsignal", async () => {
  const pair = new Pair();
  await pair.weBegin(21);
  const { local, remote, ...rest } = pair.ours.context();
  const otherAccount = randomBytes(16);
  for (const wrong of [
    { ...rest, remote, local: { ...local, accountId: otherAccount } },
    { ...rest, remote, local: { ...local, deviceId: 2 } },
    { ...rest, local, remote: { ...remote, accountId: otherAccount } },
    { ...rest, local, remote: { ...remote, deviceId: 2 } },
  ])
    await assert.rejects(pair.peerHears(pair.ours.encrypt(TEXT, undefined, wrong)));
  assert.equal(await pair.peerHears(pair.say("the right ones")), "the right ones");
});

test("an ordinary message has no addresses, from either", async () => {
  const pair = await Pair.settled();
  for (const message of [pair.say("ours"), await pair.peerSays("theirs")]) {
    const body = Buffer.from(message.subarray(1));
    assert.equal(body.includes(pair.ours.local.accountId), false);
    assert.equal(body.includes(remoteOf(pair.peer).accountId), false);
  }
});

test("a prekey message of libsignal's without addresses is refused by us", async () => {
  const pair = new Pair();
  await pair.theyBegin(21);
  // A name that is no service id: libsignal sends no addresses then.
  const nameless = signal.ProtocolAddress.new("+15550100", 1);
  const { sessions, identities } = pair.peer.stores;
  const message = await signal.signalEncrypt(
    TEXT as Uint8Array<ArrayBuffer>,
    pair.ours.address,
    nameless,
    sessions,
    identities,
  );
  const ciphertext = Buffer.concat([Uint8Array.of(message.type()), message.serialize()]);
  assert.equal(pair.hear(ciphertext), "(address-mismatch)");
  assert.equal(pair.hear(await pair.peerSays("with them")), "with them");
});

test("a prekey message of libsignal's with other addresses is refused by us", async () => {
  const pair = new Pair();
  await pair.theyBegin(21);
  const { sessions, identities } = pair.peer.stores;
  for (const other of [
    new Peer("ffeeddcc-bbaa-9988-7766-554433221100", 1, 77).address,
    signal.ProtocolAddress.new(pair.peer.address.name(), 2),
  ]) {
    const message = await signal.signalEncrypt(
      TEXT as Uint8Array<ArrayBuffer>,
      pair.ours.address,
      other,
      sessions,
      identities,
    );
    const ciphertext = Buffer.concat([Uint8Array.of(message.type()), message.serialize()]);
    assert.equal(pair.hear(ciphertext), "(address-mismatch)");
  }
  assert.equal(pair.hear(await pair.peerSays("the right ones")), "the right ones");
});
