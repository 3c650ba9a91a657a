import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import * as signal from "@signalapp/libsignal-client";
import {
  confirmsSafetyNumber,
  deriveDeviceKeys,
  identityOf,
  makeLastResortPrekey,
  makeSignedPrekey,
  runSync,
  safetyNumber,
  signAsIdentity,
  verifyAsIdentity,
} from "../../../packages/crypto/src/index.ts";
import { nobleProvider } from "../../../packages/crypto/src/primitives/noble-provider.ts";
import { owned } from "./peer.ts";

const ROUNDS = 50; // Both values of the sign bit, many times over.
const run = <T>(operation: Parameters<typeof runSync<T>>[1]) => runSync(nobleProvider, operation);
const newKeys = () => run(deriveDeviceKeys(randomBytes(32)));

test("libsignal accepts the signatures that our device keys make as Ed25519", () => {
  for (let round = 0; round < ROUNDS; round++) {
    const keys = newKeys();
    const message = randomBytes(round);
    const signature = run(signAsIdentity(keys, message));
    const peerKey = signal.PublicKey.deserialize(owned(keys.identity));
    assert.equal(peerKey.verify(owned(message), owned(signature)), true);
    signature[5] = (signature[5] as number) ^ 1;
    assert.equal(peerKey.verify(owned(message), owned(signature)), false);
  }
});

test("we accept libsignal's XEdDSA signatures, and no changed ones", () => {
  for (let round = 0; round < ROUNDS; round++) {
    const key = signal.PrivateKey.generate();
    const message = randomBytes(round);
    const signature = key.sign(owned(message));
    const identity = key.getPublicKey().serialize();
    assert.equal(run(verifyAsIdentity({ identity, message, signature })), true);
    const changed = owned(signature);
    changed[63] = (changed[63] as number) ^ 0x80;
    assert.equal(run(verifyAsIdentity({ identity, message, signature: changed })), false);
  }
});

test("libsignal derives the same public key from our private key", () => {
  const keys = newKeys();
  const theirs = signal.PrivateKey.deserialize(owned(keys.x25519Private));
  assert.deepEqual(theirs.getPublicKey().serialize(), owned(keys.identity));
});

test("safety numbers are equal, digit for digit, and each reads the other's code", () => {
  for (let round = 0; round < 3; round++) {
    const [a, b] = [0, 1].map(() => ({
      accountId: randomBytes(16),
      rootKey: newKeys().ed25519Public,
    }));
    assert.ok(a && b);
    const keyOf = ({ rootKey }: { rootKey: Uint8Array }) =>
      signal.PublicKey.deserialize(owned(identityOf(rootKey)));
    const theirs = signal.Fingerprint.new(
      5200,
      2,
      owned(a.accountId),
      keyOf(a),
      owned(b.accountId),
      keyOf(b),
    );
    const digits = theirs.displayableFingerprint().toString();
    const [shownByA, shownByB] = [safetyNumber(a, b), safetyNumber(b, a)];
    assert.equal(shownByA.digits.replaceAll(" ", ""), digits);
    assert.equal(shownByB.digits.replaceAll(" ", ""), digits);
    const scannable = theirs.scannableFingerprint();
    assert.deepEqual(shownByA.code, new Uint8Array(scannable.toBuffer()));
    assert.ok(confirmsSafetyNumber(shownByB, scannable.toBuffer()));
    assert.ok(scannable.compare(signal.ScannableFingerprint._fromBuffer(owned(shownByB.code))));
  }
});

test("libsignal begins a session on a bundle of ours", async () => {
  const { Peer } = await import("./peer.ts");
  const keys = newKeys();
  const signed = run(makeSignedPrekey(keys, { id: 3, privateKey: randomBytes(32) })).public;
  const kyber = run(makeLastResortPrekey(keys, { id: 4, kyberSeed: randomBytes(64) })).public;
  const peer = new Peer("00112233-4455-6677-8899-aabbccddeeff", 1, 77);
  const bundle = signal.PreKeyBundle.new(
    55,
    1,
    null,
    null,
    signed.id,
    signal.PublicKey.deserialize(owned(signed.publicKey)),
    owned(signed.signature),
    signal.PublicKey.deserialize(owned(keys.identity)),
    kyber.id,
    signal.KEMPublicKey.deserialize(owned(kyber.publicKey)),
    owned(kyber.signature),
  );
  const ours = signal.ProtocolAddress.new("ffeeddcc-bbaa-9988-7766-554433221100", 1);
  await peer.begin(bundle, ours);
  const message = await peer.encrypt(randomBytes(20), ours);
  assert.equal(message.type(), signal.CiphertextMessageType.PreKey);
});
