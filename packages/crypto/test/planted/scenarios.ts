import assert from "node:assert/strict";
import fs from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AccountChangeSchema,
  AccountEntrySchema,
  concatBytes,
  fromHex,
  type SignedAccountEntry,
  SignedAccountEntrySchema,
  toHex,
} from "@parley/protocol";
import {
  accountIdOf,
  accountStateHash,
  beginAttachment,
  beginSession,
  type ChunkAead,
  CryptoError,
  type DeviceKeys,
  decrypt,
  deriveDeviceKeys,
  ed25519PublicKey,
  ed25519Sign,
  encrypt,
  LABELS,
  labelled,
  makeDeviceEntry,
  runSync,
  type SignedStep,
  signAsIdentity,
  signDeviceEntry,
  signFirstEntry,
  signNextEra,
  verifyAccountChain,
  verifyAsIdentity,
  x25519,
} from "../../src/index.ts";
import { nodeProvider } from "../../src/platform/node.ts";
import { installSymmetric, nobleSymmetric } from "../../src/primitives/symmetric.ts";
import { decodePrekeySignalMessage } from "../../src/ratchet/prekey-signal-message.ts";
import { decodeSignalMessage } from "../../src/ratchet/signal-message.ts";
import { type FrozenSession, relive } from "../fixtures/frozen-session.ts";
import { GroupParty } from "../fixtures/group-party.ts";
import { Party, run } from "../fixtures/party.ts";
import { seededRandom } from "../fixtures/random.ts";

/** What the planted bugs are held against: small, and true of what is not broken. */
export const SCENARIOS: Readonly<Record<string, () => void | Promise<void>>> = {
  "a message is refused whose MAC was changed": () => {
    const { alice, bob } = settled();
    const genuine = alice.say(bob, "genuine");
    const changed = genuine.slice();
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    assert.equal(bob.read(alice, changed), "(not-authentic)");
    assert.equal(bob.read(alice, genuine), "genuine");
  },

  "a message that comes again is a repeat": () => {
    const { alice, bob } = settled();
    const [first, second] = [alice.say(bob, "first"), alice.say(bob, "second")];
    for (const text of ["first", "(repeat)"]) assert.equal(bob.read(alice, first), text);
    for (const text of ["second", "(repeat)"]) assert.equal(bob.read(alice, second), text);
  },

  "an old message that comes again is a repeat": () => {
    const { alice, bob } = settled();
    const old = alice.say(bob, "old");
    assert.equal(bob.read(alice, old), "old");
    for (let turn = 0; turn < 8; turn++) {
      alice.read(bob, bob.say(alice, "ping"));
      bob.read(alice, alice.say(bob, "pong"));
    }
    assert.equal(bob.read(alice, old), "(repeat)");
  },

  "a group message that comes again is a repeat": () => {
    const [sender, reader] = [new GroupParty("sender"), new GroupParty("reader")];
    const message = sender.say("once", [reader]);
    assert.equal(reader.read(sender, message), "once");
    assert.equal(reader.read(sender, message), "(repeat)");
  },

  "the key of a skipped message is gone once it was read": () => {
    const { alice, bob } = settled();
    const skipped = alice.say(bob, "skipped");
    bob.read(alice, alice.say(bob, "after it"));
    assert.equal(bob.read(alice, skipped), "skipped");
    const { receiving = [], pqRatchet } = bob.record(alice)?.current ?? {};
    assert.equal(receiving.flatMap((chain) => chain.skipped).length, 0);
    const epochs = pqRatchet?.epochs ?? [];
    assert.equal(epochs.flatMap((epoch) => epoch.receiving?.skipped ?? []).length, 0);
  },

  "a bundle is refused that its identity did not sign": () => {
    const [alice, bob, eve] = [new Party("alice"), new Party("bob"), new Party("eve")];
    const bundle = { ...eve.bundle(), deviceId: bob.local.deviceId };
    const begun = run(beginSession(undefined, alice.context(bob), bundle));
    assert.deepEqual(begun, { kind: "refused", reason: "wrong-signature" });
  },

  "both prekeys must be signed": () => {
    const [alice, bob, eve] = [new Party("alice"), new Party("bob"), new Party("eve")];
    const [genuine, other] = [bob.bundle({ oneTime: false }), eve.bundle({ oneTime: false })];
    const { signedPrekey, lastResortPrekey } = other;
    for (const wrong of [{ signedPrekey }, { lastResortPrekey }]) {
      const bundle = { ...genuine, ...wrong } as typeof genuine;
      const begun = run(beginSession(undefined, alice.context(bob), bundle));
      assert.deepEqual(begun, { kind: "refused", reason: "wrong-signature" });
    }
    assert.equal(run(beginSession(undefined, alice.context(bob), genuine)).kind, "begun");
  },

  "what libsignal took and sent holds": () => {
    const file = new URL("../vectors/frozen/sessions.json", import.meta.url);
    const { sessions } = JSON.parse(fs.readFileSync(file, "utf8"));
    const [first] = sessions as [FrozenSession];
    assert.deepEqual(relive(first, nodeProvider()), first);
  },

  "a shared secret of zeros is refused": () => {
    const zeros = { answer: () => new Uint8Array(32) };
    const key = new Uint8Array(32).fill(9);
    assert.throws(() => runSync(zeros, x25519(key, key)), CryptoError);
  },

  "a key of low order is refused before it is used": () => {
    const asked: string[] = [];
    const provider = {
      answer: () => {
        asked.push("x25519");
        return new Uint8Array(32).fill(1);
      },
    };
    for (const low of ["00", "01"]) {
      const publicKey = fromHex(low + "00".repeat(31));
      assert.throws(() => runSync(provider, x25519(new Uint8Array(32), publicKey)), CryptoError);
    }
    assert.deepEqual(asked, []);
  },

  "no key is used with one nonce twice": async () => {
    const used = new Set<string>();
    const use = (key: Uint8Array, nonce: Uint8Array) => {
      const name = `${toHex(key)} ${toHex(nonce)}`;
      assert.equal(used.has(name), false, "a key and a nonce that were used before");
      used.add(name);
    };
    const { aesCbcEncrypt } = nobleSymmetric;
    installSymmetric({
      ...nobleSymmetric,
      aesCbcEncrypt: (key, iv, plaintext) => {
        use(key, iv);
        return aesCbcEncrypt(key, iv, plaintext);
      },
    });
    const { alice, bob } = settled();
    for (let n = 0; n < 20; n++) alice.say(bob, `message ${n}`);
    const [sender, reader] = [new GroupParty("sender"), new GroupParty("reader")];
    for (let n = 0; n < 20; n++) sender.say(`message ${n}`, [reader]);
    installSymmetric(nobleSymmetric);
    await sealFile(use);
    assert.ok(used.size >= 43);
  },

  "no account lists a device that did not consent": () => {
    const { accountId, first, one } = account();
    const { entry: two } = listed(accountId, 2);
    const change = create(AccountChangeSchema, { change: { case: "addDevice", value: two } });
    const step = run(signDeviceEntry({ deviceId: 1, keys: one.keys }, first.state, [change]));
    const entries = [first.entry, withoutConsent(step, one.keys)];
    assert.equal(
      run(verifyAccountChain({ accountId, entries: [first.entry, step.entry] })).kind,
      "valid",
    );
    const verdict = run(verifyAccountChain({ accountId, entries }));
    assert.deepEqual(verdict, { kind: "refused", at: 1, reason: "device-without-consent" });
  },

  "a longer chain of an earlier era is older": () => {
    const { rootSeed, accountId, first, one } = account();
    const two = listed(accountId, 2);
    const three = listed(accountId, 3);
    const entries: SignedAccountEntry[] = [first.entry];
    let { state } = first;
    for (const { entry } of [two, three]) {
      const change = create(AccountChangeSchema, { change: { case: "addDevice", value: entry } });
      const next = run(signDeviceEntry({ deviceId: 1, keys: one.keys }, state, [change]));
      entries.push(next.entry);
      state = next.state;
    }
    const known = run(signNextEra(rootSeed, first.state, [one.entry])).state;
    assert.deepEqual([known.era, known.version, state.version], [2, 1, 3]);
    assert.equal(run(verifyAccountChain({ accountId, entries, known })).kind, "older");
  },

  "a distribution has one owner": () => {
    const [owner, reader, eve] = ["owner", "reader", "eve"].map((name) => new GroupParty(name));
    assert.ok(owner && reader && eve);
    owner.giveKeyTo(reader);
    const { accountId, deviceId } = eve.device;
    const stolen = owner.distribution();
    const claimed = reader.takeKey(eve.device, { ...stolen, accountId, deviceId });
    assert.deepEqual(claimed, { kind: "refused", reason: "second-owner" });
    const lied = reader.takeKey(eve.device, stolen);
    assert.deepEqual(lied, { kind: "refused", reason: "false-claim" });
  },

  "a prekey message names both devices": () => {
    const [alice, bob] = [new Party("alice"), new Party("bob")];
    alice.begin(bob);
    const { message } = decodePrekeySignalMessage(alice.say(bob, "hello").subarray(1));
    const named = [alice, bob].map(({ local }) =>
      concatBytes(Uint8Array.of(0), local.accountId, Uint8Array.of(local.deviceId)),
    );
    assert.deepEqual(decodeSignalMessage(message).addresses, concatBytes(...named));
  },

  "a prekey message without addresses is refused": () => {
    const [alice, bob] = [new Party("alice"), new Party("bob")];
    alice.begin(bob);
    const record = alice.record(bob);
    assert.ok(record);
    const nameless = { addressesInPrekeyMessages: false };
    const sent = run(encrypt(record, alice.context(bob), new Uint8Array(5), nameless));
    const { ciphertext } = sent;
    const incoming = { ciphertext, prekeys: bob.prekeysFor(ciphertext) };
    const outcome = run(decrypt(undefined, bob.context(alice), incoming));
    assert.deepEqual(outcome, { kind: "undecryptable", cause: "address-mismatch" });
  },

  "what an identity signs it is seen to have signed": () => {
    const signs = new Set<number>();
    const random = seededRandom("sign bit");
    for (let n = 0; n < 16; n++) {
      const keys = run(deriveDeviceKeys(random(32)));
      signs.add((keys.ed25519Public[31] as number) >> 7);
      const message = random(20);
      const signature = run(signAsIdentity(keys, message));
      const signed = { identity: keys.identity, message, signature };
      assert.equal(run(verifyAsIdentity(signed)), true);
    }
    assert.equal(signs.size, 2);
  },

  "a prekey serves one session": () => {
    const [alice, bob] = [new Party("alice"), new Party("bob")];
    for (const oneTime of [true, false]) {
      alice.begin(bob, bob.bundle({ oneTime }));
      const first = alice.say(bob, "first");
      assert.equal(bob.read(alice, first), "first");
      bob.records.clear();
      const cause = oneTime ? "(unknown-prekey)" : "(replayed-handshake)";
      assert.equal(bob.read(alice, first), cause);
    }
  },
};

function settled(): { alice: Party; bob: Party } {
  const [alice, bob] = [new Party("alice"), new Party("bob")];
  alice.begin(bob);
  bob.read(alice, alice.say(bob, "one"));
  alice.read(bob, bob.say(alice, "two"));
  return { alice, bob };
}

function listed(accountId: Uint8Array, deviceId: number) {
  const keys = run(deriveDeviceKeys(seededRandom(`device ${deviceId}`)(32)));
  const sealedName = new Uint8Array(0);
  const entry = run(makeDeviceEntry(keys, { accountId, deviceId, registrationId: 5, sealedName }));
  return { keys, entry };
}

function account() {
  const rootSeed = seededRandom("root")(32);
  const accountId = accountIdOf(run(ed25519PublicKey(rootSeed)));
  const one = listed(accountId, 1);
  return { rootSeed, accountId, one, first: run(signFirstEntry(rootSeed, one.entry)) };
}

/** The same entry, signed again, with a device whose own word is another's. Our own signer would refuse to. */
function withoutConsent({ entry, state }: SignedStep, keys: DeviceKeys): SignedAccountEntry {
  const body = fromBinary(AccountEntrySchema, entry.body);
  const devices = state.devices.map((device) =>
    device.deviceId === 2 ? { ...device, consent: new Uint8Array(64).fill(1) } : device,
  );
  for (const { change } of body.changes)
    if (change.case === "addDevice") change.value.consent = new Uint8Array(64).fill(1);
  body.stateHash = accountStateHash(state, devices);
  const changed = toBinary(AccountEntrySchema, body);
  const signature = run(ed25519Sign(keys.seed, labelled(LABELS.accountEntry, changed)));
  return create(SignedAccountEntrySchema, { body: changed, signature });
}

/** A file of three chunks, each under a nonce of its own. */
async function sealFile(use: (key: Uint8Array, nonce: Uint8Array) => void): Promise<void> {
  const aead: ChunkAead = {
    key: (key) => ({
      seal: ({ nonce, bytes }) => {
        use(key, nonce);
        return bytes;
      },
      open: ({ bytes }) => bytes,
    }),
  };
  const sizeBytes = 150_000;
  const random = seededRandom("file");
  const { seal } = await beginAttachment({ aead, random, kind: "file", sizeBytes });
  for await (const _piece of seal([new Uint8Array(sizeBytes)]));
}
