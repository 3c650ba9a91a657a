/**
 * `node tools/interop/freeze.ts`: what passes between our devices and libsignal's, written down as data that
 * packages/crypto/test/frozen-vectors.test.ts holds us to without the peer. Ours draws from a seed, so that its
 * bytes come again; libsignal's are as they came. To be run again on purpose only: for a new version of the peer.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import * as signal from "@signalapp/libsignal-client";
import {
  distributionOf,
  encryptToGroup,
  identityOf,
  makeSenderKey,
  prepareToSend,
  safetyNumber,
  withHolders,
} from "../../packages/crypto/src/index.ts";
import type {
  FrozenSession,
  FrozenStep,
} from "../../packages/crypto/test/fixtures/frozen-session.ts";
import { bundleHexOf, digestOf } from "../../packages/crypto/test/fixtures/frozen-session.ts";
import { run } from "../../packages/crypto/test/fixtures/party.ts";
import { seededRandom } from "../../packages/crypto/test/fixtures/random.ts";
import { toHex as hexOf } from "../../packages/protocol/src/index.ts";
import { remoteOf } from "./test/our-device.ts";
import { Pair, type Witness } from "./test/pair.ts";
import { owned } from "./test/peer.ts";
import { MemorySenderKeys } from "./test/sender-key-store.ts";

const FOLDER = fileURLToPath(
  new URL("../../packages/crypto/test/vectors/frozen/", import.meta.url),
);
const PEER = "@signalapp/libsignal-client 0.103.0";
const NOW_MS = 1_790_000_000_000;
/** The longest run keeps the peer's bytes, and of ours a digest alone. */
const LONG_EPOCHS = 3;

class Recorder implements Witness {
  readonly steps: FrozenStep[] = [];

  weBegin(bundle: Parameters<Witness["weBegin"]>[0]): void {
    this.steps.push({ do: "begin", bundle: bundleHexOf(bundle) });
  }

  weOffer(oneTimeId: number | undefined): void {
    this.steps.push({ do: "offer", ...(oneTimeId === undefined ? {} : { oneTimeId }) });
  }

  weSay(text: string, ciphertext: Uint8Array): void {
    this.steps.push({ do: "say", text, digest: digestOf(ciphertext) });
  }

  weHear(ciphertext: Uint8Array, text: string): void {
    this.steps.push({ do: "hear", ciphertext: hexOf(ciphertext), text });
  }
}

async function session(name: string, life: (pair: Pair) => Promise<void>): Promise<FrozenSession> {
  const recorder = new Recorder();
  const pair = new Pair({ random: seededRandom(name), nowMs: NOW_MS }, recorder);
  await life(pair);
  const { accountId, deviceId, identity } = remoteOf(pair.peer);
  return {
    name,
    seed: name,
    nowMs: NOW_MS,
    remote: { accountId: hexOf(accountId), deviceId, identity: hexOf(identity) },
    steps: recorder.steps,
    stored: digestOf(pair.ours.stored as Uint8Array),
  };
}

/** Out of order within a turn, late over turns, one lost. */
async function disorder(pair: Pair): Promise<void> {
  const late = await pair.peerSays("late");
  const ours = [0, 1, 2, 3].map((n) => pair.say(`ours ${n}`));
  const theirs: Uint8Array[] = [];
  for (const n of [0, 1, 2, 3]) theirs.push(await pair.peerSays(`theirs ${n}`));
  for (const n of [2, 0, 3]) {
    assert.equal(await pair.peerHears(ours[n] as Uint8Array), `ours ${n}`);
    assert.equal(pair.hear(theirs[n] as Uint8Array), `theirs ${n}`);
  }
  await pair.talk(1);
  assert.equal(pair.hear(late), "late");
  assert.equal(pair.hear(late), "(repeat)");
}

async function sessions(): Promise<FrozenSession[]> {
  const made: FrozenSession[] = [];
  for (const oneTimeId of [21, undefined]) {
    const which = oneTimeId === undefined ? "without" : "with";
    made.push(
      await session(`we begin ${which} a one-time prekey`, async (pair) => {
        await pair.weBegin(oneTimeId);
        await pair.talk(1);
        await disorder(pair);
      }),
      await session(`libsignal begins ${which} a one-time prekey`, async (pair) => {
        await pair.theyBegin(oneTimeId);
        for (const text of ["one", "two"]) assert.equal(pair.hear(await pair.peerSays(text)), text);
        await pair.talk(1);
        await disorder(pair);
      }),
      await session(`both begin ${which} a one-time prekey`, async (pair) => {
        await pair.weBegin(oneTimeId);
        await pair.theyBegin(oneTimeId === undefined ? undefined : 31);
        const [a, b] = [pair.say("ours"), await pair.peerSays("theirs")];
        assert.equal(await pair.peerHears(a), "ours");
        assert.equal(pair.hear(b), "theirs");
        await pair.talk(2);
      }),
    );
  }
  made.push(
    await session(`${LONG_EPOCHS} epochs of the post-quantum ratchet`, async (pair) => {
      await pair.weBegin(21);
      while (pair.ours.epoch() <= LONG_EPOCHS) {
        assert.equal(await pair.peerHears(pair.say("ours")), "ours");
        assert.equal(pair.hear(await pair.peerSays("theirs")), "theirs");
      }
    }),
  );
  return made;
}

async function senderKeys() {
  const theirs = { store: new MemorySenderKeys(), distributionId: randomUUID() };
  const sender = signal.ProtocolAddress.new(randomUUID(), 1);
  const distribution = await signal.SenderKeyDistributionMessage.create(
    sender,
    theirs.distributionId,
    theirs.store,
  );
  const read: { text: string; ciphertext: string }[] = [];
  for (const n of [0, 1, 2, 3]) {
    const text = `theirs ${n}`;
    const message = await signal.groupEncrypt(
      sender,
      theirs.distributionId,
      theirs.store,
      owned(Buffer.from(text)),
    );
    read.push({ text, ciphertext: hexOf(Buffer.concat([Uint8Array.of(7), message.serialize()])) });
  }
  const seed = "sender key";
  const groupId = seededRandom("group")(32);
  const holder = { accountId: groupId.slice(16), deviceId: 1, identity: new Uint8Array(33) };
  const made = run(makeSenderKey({ groupId, nowMs: NOW_MS, random: seededRandom(seed) }));
  let own = withHolders(made, [holder]);
  const ourDistribution = distributionOf(own);
  const peer = new MemorySenderKeys();
  const ours = signal.ProtocolAddress.new(randomUUID(), 1);
  await signal.processSenderKeyDistributionMessage(
    ours,
    signal.SenderKeyDistributionMessage.deserialize(owned(ourDistribution)),
    peer,
  );
  const written: { text: string; ciphertext: string }[] = [];
  for (const n of [0, 1, 2, 3]) {
    const prepared = prepareToSend(own, [holder], NOW_MS);
    if (prepared.kind !== "ready") throw new Error(prepared.kind);
    const text = `ours ${n}`;
    const sent = run(encryptToGroup(prepared.key, Buffer.from(text), NOW_MS));
    if (sent.kind !== "encrypted") throw new Error(sent.reason);
    own = sent.own;
    const heard = await signal.groupDecrypt(ours, peer, owned(sent.ciphertext.subarray(1)));
    assert.equal(Buffer.from(heard).toString(), text);
    written.push({ text, ciphertext: hexOf(sent.ciphertext) });
  }
  return {
    peer: PEER,
    theirs: { distribution: hexOf(distribution.serialize()), messages: read },
    ours: { seed, nowMs: NOW_MS, distribution: hexOf(ourDistribution), messages: written },
  };
}

function identities() {
  const signatures = Array.from({ length: 8 }, (_, n) => {
    const key = signal.PrivateKey.generate();
    const message = randomBytes(n * 9);
    return {
      identity: hexOf(key.getPublicKey().serialize()),
      message: hexOf(message),
      signature: hexOf(key.sign(owned(message))),
    };
  });
  const safetyNumbers = Array.from({ length: 3 }, (_, n) => {
    const random = seededRandom(`safety ${n}`);
    const party = () => {
      const device = new Pair({ random }).ours;
      return { accountId: device.local.accountId, rootKey: device.keys.ed25519Public };
    };
    const [a, b] = [party(), party()];
    const key = (rootKey: Uint8Array) => signal.PublicKey.deserialize(owned(identityOf(rootKey)));
    const print = signal.Fingerprint.new(
      5200,
      2,
      owned(a.accountId),
      key(a.rootKey),
      owned(b.accountId),
      key(b.rootKey),
    );
    const digits = print.displayableFingerprint().toString();
    assert.equal(safetyNumber(a, b).digits.replaceAll(" ", ""), digits);
    const hex = ({ accountId, rootKey }: typeof a) => ({
      accountId: hexOf(accountId),
      rootKey: hexOf(rootKey),
    });
    return {
      a: hex(a),
      b: hex(b),
      digits,
      scannableOfA: hexOf(print.scannableFingerprint().toBuffer()),
    };
  });
  return { peer: PEER, signatures, safetyNumbers };
}

const write = (name: string, data: unknown) =>
  fs.writeFileSync(`${FOLDER}${name}.json`, `${JSON.stringify(data, undefined, 1)}\n`);
write("sessions", { peer: PEER, sessions: await sessions() });
write("sender-keys", await senderKeys());
write("identities", identities());
