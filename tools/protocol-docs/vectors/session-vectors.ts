import { create } from "@bufbuild/protobuf";
import { initiatorKeys } from "../../../packages/crypto/src/handshake/pqxdh.ts";
import {
  beginSession,
  decrypt,
  encrypt,
  makeLastResortPrekey,
  makeOneTimePrekey,
  makeSignedPrekey,
  type PrekeysForMessage,
  type RemoteDevice,
  x25519,
} from "../../../packages/crypto/src/index.ts";
import { kyberEncapsulate } from "../../../packages/crypto/src/primitives/kyber1024.ts";
import {
  chainStep,
  messageKeys,
  rootStep,
} from "../../../packages/crypto/src/ratchet/ratchet-keys.ts";
import { newPqRatchet, pqSend } from "../../../packages/crypto/src/spqr/pq-ratchet.ts";
import { type PrekeyBundle, PrekeyBundleSchema } from "../../../packages/protocol/src/index.ts";
import { textContent } from "./content-vectors.ts";
import { fixed, fixedRandom, type Person, run } from "./fixed.ts";

/** Bob's prekeys, and what Alice and Bob send each other under them. */
export function sessionVectors(alice: Person, bob: Person) {
  const { signed, lastResort, oneTime } = prekeysOf(bob);
  const bundle = {
    deviceId: 1,
    registrationId: bob.registrationId,
    signedPrekey: signed.public,
  };
  const secrets = {
    signedPrekey: signed.secret,
    lastResortPrekey: lastResort.secret,
    oneTimePrekey: oneTime.secret,
    lastResortUsed: false,
  };
  const fetched = create(PrekeyBundleSchema, { ...bundle, lastResortPrekey: lastResort.public });
  return {
    signedPrekey: { ...signed.secret, ...signed.public },
    lastResortPrekey: { ...lastResort.secret, ...lastResort.public },
    oneTimePrekey: { ...oneTime.secret, ...oneTime.public },
    handshake: handshakeVectors(alice, bob, fetched),
    onLastResortPrekey: conversation(alice, bob, { bundle: fetched, secrets }),
    onOneTimePrekey: conversation(alice, bob, {
      bundle: create(PrekeyBundleSchema, { ...bundle, oneTimePrekey: oneTime.public }),
      secrets,
    }),
  };
}

function prekeysOf({ keys }: Person) {
  const privateKey = fixed("signed prekey");
  const kyberSeed = fixed("last-resort prekey", 64);
  const curvePrivate = fixed("one-time prekey");
  const oneTimeSeed = fixed("one-time Kyber prekey", 64);
  return {
    signed: run(makeSignedPrekey(keys, { id: 7, privateKey })),
    lastResort: run(makeLastResortPrekey(keys, { id: 8, kyberSeed })),
    oneTime: run(makeOneTimePrekey(keys, { id: 9, curvePrivate, kyberSeed: oneTimeSeed })),
  };
}

/** What Alice draws for a session, in the order in which our code draws it. */
const ALICE_DRAWS = "alice draws";

/** Every step from the keys to those of the first message. */
function handshakeVectors(alice: Person, bob: Person, { signedPrekey, lastResortPrekey }: PrekeyBundle) {
  if (!signedPrekey || !lastResortPrekey) throw new Error("a bundle without its keys");
  const draw = fixedRandom(ALICE_DRAWS);
  const [basePrivate, kyberRandom, ratchetPrivate] = [draw(32), draw(32), draw(32)];
  const kyber = kyberEncapsulate(lastResortPrekey.publicKey.subarray(1), kyberRandom);
  const remoteSignedPrekey = signedPrekey.publicKey.subarray(1);
  const keys = run(
    initiatorKeys({
      identityPrivate: alice.keys.x25519Private,
      basePrivate,
      sharedSecret: kyber.sharedSecret,
      remoteIdentity: bob.keys.identity.subarray(1),
      remoteSignedPrekey,
      remoteOneTimePrekey: undefined,
    }),
  );
  const turned = rootStep(keys.rootKey, run(x25519(ratchetPrivate, remoteSignedPrekey)));
  const { seed } = chainStep(turned.chainKey);
  const { key: pqKey } = run(pqSend(newPqRatchet(true, keys.pqRatchetKey), draw));
  const { cipherKey, macKey, iv } = messageKeys(seed, pqKey);
  return {
    ...{ basePrivate, kyberRandom, kyberCiphertext: kyber.ciphertext },
    ...{ sharedSecret: kyber.sharedSecret, rootKey: keys.rootKey },
    ...{ pqRatchetKey: keys.pqRatchetKey, ratchetPrivate },
    ...{ rootKeyAfterTurn: turned.rootKey, sendingChainKey: turned.chainKey },
    firstMessage: { seed, pqKey, cipherKey, macKey, iv },
  };
}

interface Offer {
  readonly bundle: PrekeyBundle;
  readonly secrets: PrekeysForMessage;
}

/** Two messages of Alice's, and Bob's answer. */
function conversation(alice: Person, bob: Person, { bundle, secrets }: Offer) {
  const towards = (from: Person, to: Person, draws: string) => ({
    local: from.device,
    remote: remoteOf(to),
    nowMs: 0,
    random: fixedRandom(draws),
  });
  const fromAlice = towards(alice, bob, ALICE_DRAWS);
  const fromBob = towards(bob, alice, "bob draws");
  const begun = run(beginSession(undefined, fromAlice, bundle));
  if (begun.kind === "refused") throw new Error(begun.reason);
  const hello = textContent(alice, bob, "Hello, Bob.");
  const again = textContent(alice, bob, "Are you there?");
  const first = run(encrypt(begun.record, fromAlice, hello.padded));
  const second = run(encrypt(first.record, fromAlice, again.padded));
  const read = run(
    decrypt(undefined, fromBob, { ciphertext: first.ciphertext, prekeys: secrets }),
  );
  if (read.kind !== "plaintext") throw new Error(`Bob cannot read it: ${read.kind}`);
  const yes = textContent(bob, alice, "Yes.");
  const answer = run(encrypt(read.record, fromBob, yes.padded));
  return {
    first: { ...hello, ciphertext: first.ciphertext },
    second: { ...again, ciphertext: second.ciphertext },
    answer: {
      ...{ ...yes, ratchetPrivate: fixedRandom("bob draws")(32) },
      ciphertext: answer.ciphertext,
    },
  };
}

function remoteOf({ accountId, keys }: Person): RemoteDevice {
  return { accountId, deviceId: 1, identity: keys.identity };
}
