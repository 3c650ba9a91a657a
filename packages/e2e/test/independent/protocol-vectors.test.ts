/** docs/protocol-vectors.json, computed anew as PROTOCOL.md says: by the independent client, and by node:crypto. */
import * as c from "node:crypto";
import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { LiveContentSchema } from "../../../protocol/src/gen/parley/content/v1/content_pb.ts";
import * as client from "./client.ts";

const FILE = new URL("../../../../docs/protocol-vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(FILE, "utf8"));
const { alice, bob, login, session, live, presence, safetyNumber } = vectors;

const bytes = (hex: string) => Buffer.from(hex, "hex");
const sha = (name: string, ...parts: readonly (Uint8Array | string)[]) =>
  c.hash(name, client.cat(...parts), "buffer");
type Part = Uint8Array | string;
const hkdf = (salt: Part, ikm: Uint8Array, info: Part, size: number) =>
  Buffer.from(c.hkdfSync("sha256", ikm, salt, info, size)).toString("hex");
const byte = (value: number) => Uint8Array.of(value);
const u32 = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
/** Of epoch 0: what the initiator sends on, then what the responder sends on. */
const pqChains = (key: string) => {
  const chains = bytes(hkdf("", bytes(key), "Signal PQ Ratchet V1 Chain  Start", 96));
  return [chains.subarray(32, 64), chains.subarray(64)] as const;
};
const kyberKey = (seed: string) =>
  c.createPrivateKey({ key: bytes(seed), format: "raw-seed", asymmetricKeyType: "ml-kem-1024" });

test.each([alice, bob])("a recovery code yields the keys of its account", (person) => {
  const salt = "Parley recovery v1";
  const secret = bytes(person.recoverySecret);
  expect(hkdf(salt, secret, "Parley root key v1", 32)).toBe(person.rootSeed);
  expect(hkdf(salt, secret, "Parley backup key v1", 32)).toBe(person.backupKey);
  expect(hkdf(salt, secret, "Parley backup id v1", 16)).toBe(person.backupId);
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const checksum = sha("sha256", "Parley recovery code v1\0", secret).toString("hex").slice(0, 5);
  const bits = BigInt(`0x${person.recoverySecret}${checksum}`).toString(2).padStart(180, "0");
  const typed = bits.replace(/.{5}/g, (five) => alphabet[Number.parseInt(five, 2)] as string);
  expect(typed.replace(/.{4}(?=.)/g, "$&-")).toBe(person.recoveryCode);
});

test.each([alice, bob])("a first entry holds what makes it good", (person) => {
  const { device, firstEntry, accountId, rootKey } = person;
  const seed = bytes(device.seed);
  const account = client.newAccount(bytes(person.rootSeed), seed, device.registrationId);
  expect(account.id).toEqual(bytes(accountId));
  expect(client.identityOf(bytes(device.deviceKey))).toEqual(bytes(device.identity));
  expect(client.curveKey(bytes(device.scalar))).toEqual(bytes(device.identity));
  const body = bytes(firstEntry.body);
  expect(client.headOf(body)).toEqual({
    ...{ era: 1, version: 1 },
    hash: bytes(firstEntry.hash).subarray(0, 16),
  });
  const number = u32(device.registrationId);
  const listed = [bytes(accountId), byte(1), number, bytes(device.deviceKey)];
  expect(client.sign(seed, "Parley device consent v1\0", ...listed)).toEqual(bytes(device.consent));
  const entry = client.sign(bytes(person.rootSeed), "Parley account entry v1\0", body);
  expect(entry).toEqual(bytes(firstEntry.signature));
  const name = client.cat(
    Uint8Array.of(0, bytes(device.sealedName).length),
    bytes(device.sealedName),
  );
  const devices = [byte(1), bytes(device.deviceKey), number, bytes(device.consent), name];
  const state = [bytes(accountId), bytes(rootKey), ...devices];
  const stateHash = sha("sha256", "Parley account state v1\0", ...state).toString("hex");
  expect(firstEntry.body).toContain(stateHash);
});

test("a login signs origin, challenge, account and device", () => {
  const me = { id: bytes(login.accountId), seed: bytes(alice.device.seed) };
  const made = client.login(me, login.origin, bytes(login.challenge));
  expect(made.signature).toEqual(bytes(login.signature));
});

test("prekeys are signed as they are on the wire", () => {
  const seed = bytes(bob.device.seed);
  const { signedPrekey, lastResortPrekey, oneTimePrekey } = session;
  for (const { publicKey, signature } of [signedPrekey, lastResortPrekey])
    expect(client.prekey(seed, bytes(publicKey)).signature).toEqual(bytes(signature));
  expect(client.curveKey(bytes(signedPrekey.privateKey))).toEqual(bytes(signedPrekey.publicKey));
  const kyber = c.createPublicKey(kyberKey(oneTimePrekey.kyberSeed));
  const typed = client.cat("\x08", kyber.export({ format: "raw-public" }));
  expect(typed).toEqual(bytes(oneTimePrekey.kyberPublicKey));
});

test("Alice derives the keys of her first message from Bob's bundle", () => {
  const { handshake, signedPrekey, lastResortPrekey } = session;
  const [base, signed] = [bytes(handshake.basePrivate), bytes(signedPrekey.publicKey)];
  const ct = bytes(handshake.kyberCiphertext);
  const shared = c.decapsulate(kyberKey(lastResortPrekey.kyberSeed), ct);
  const mixed = client.cat(shared, sha("sha3-256", ct));
  const ss = c.createHash("shake256", { outputLength: 32 }).update(mixed).digest();
  expect(ss).toEqual(bytes(handshake.sharedSecret));
  const dhs = [
    client.dh(bytes(alice.device.scalar), signed),
    client.dh(base, bytes(bob.device.identity)),
    client.dh(base, signed),
  ];
  const ikm = client.cat(Buffer.alloc(32, 0xff), ...dhs, ss);
  const info = "WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024";
  const derivedKeys = hkdf("", ikm, info, 96);
  expect(derivedKeys.slice(0, 64)).toBe(handshake.rootKey);
  expect(derivedKeys.slice(128)).toBe(handshake.pqRatchetKey);
  const turn = client.dh(bytes(handshake.ratchetPrivate), signed);
  const turned = c.hkdfSync("sha256", turn, bytes(handshake.rootKey), "WhisperRatchet", 64);
  const [root, chain] = [Buffer.from(turned, 0, 32), Buffer.from(turned, 32)];
  expect([root, chain]).toEqual([handshake.rootKeyAfterTurn, handshake.sendingChainKey].map(bytes));
  const seed = c.createHmac("sha256", chain).update("\x01").digest();
  const { firstMessage: keys } = handshake;
  expect(seed).toEqual(bytes(keys.seed));
  const [ofInitiator] = pqChains(handshake.pqRatchetKey);
  const pq = hkdf("", ofInitiator, client.cat(u32(1), "Signal PQ Ratchet V1 Chain Next"), 64);
  expect(pq.slice(64)).toBe(keys.pqKey);
  const derived = hkdf(bytes(keys.pqKey), seed, "WhisperMessageKeys", 80);
  expect(derived).toBe(keys.cipherKey + keys.macKey + keys.iv);
});

test("Bob reads what Alice sends first, and Alice what Bob answers", () => {
  const { handshake, onLastResortPrekey: said } = session;
  const secrets = {
    seed: bytes(bob.device.seed),
    curve: bytes(session.signedPrekey.privateKey),
    kyber: kyberKey(session.lastResortPrekey.kyberSeed),
  };
  const deviceKey = bytes(alice.device.deviceKey);
  const { plaintext } = client.accept(secrets, deviceKey, bytes(said.first.ciphertext));
  expect(plaintext).toEqual(bytes(said.first.padded));
  expect(client.textIn(plaintext).text).toBe(said.first.text);
  const both = [bytes(alice.device.identity), bytes(bob.device.identity)] as const;
  const [root, own] = [bytes(handshake.rootKeyAfterTurn), bytes(handshake.ratchetPrivate)];
  const ofAlice = client.ratchet(both, root, own, pqChains(handshake.pqRatchetKey));
  const answer = ofAlice.receive(bytes(said.answer.ciphertext).subarray(1));
  expect(answer).toEqual(bytes(said.answer.padded));
  expect(() =>
    client.accept(secrets, bytes(bob.device.deviceKey), bytes(said.first.ciphertext)),
  ).toThrow("another device");
});

test("a one-time prekey is a fourth secret, and names itself in the message", () => {
  const { onOneTimePrekey: said, oneTimePrekey, signedPrekey } = session;
  type Fields = [0, number, Buffer, Buffer, Buffer, number, number, number, Buffer];
  const wire = bytes(said.second.ciphertext);
  const [, id, base, identity, message, registrationId, signedId, kyberId, typed] =
    client.fieldsOf<Fields>(wire.subarray(1));
  expect([...wire.subarray(0, 2)]).toEqual([0x03, 0x44]);
  expect([id, signedId, kyberId]).toEqual([oneTimePrekey.id, signedPrekey.id, oneTimePrekey.id]);
  expect(registrationId).toBe(alice.device.registrationId);
  const ct = typed.subarray(1);
  const mixed = client.cat(
    c.decapsulate(kyberKey(oneTimePrekey.kyberSeed), ct),
    sha("sha3-256", ct),
  );
  const ss = c.createHash("shake256", { outputLength: 32 }).update(mixed).digest();
  const signed = bytes(signedPrekey.privateKey);
  const dhs = [
    client.dh(signed, identity),
    client.dh(bytes(bob.device.scalar), base),
    client.dh(signed, base),
    client.dh(bytes(oneTimePrekey.curvePrivate), base),
  ];
  const ikm = client.cat(Buffer.alloc(32, 0xff), ...dhs, ss);
  const keys = hkdf("", ikm, "WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024", 96);
  const [ofInitiator, ofResponder] = pqChains(keys.slice(128));
  const both = [bytes(bob.device.identity), identity] as const;
  const root = bytes(keys.slice(0, 64));
  const ofBob = client.ratchet(both, root, signed, [ofResponder, ofInitiator]);
  expect(ofBob.receive(message)).toEqual(bytes(said.second.padded));
  const [, , , , , , addresses] = client.fieldsOf<[...Buffer[]]>(message.subarray(0, -8));
  const addressOf = ({ accountId }: { accountId: string }) =>
    client.cat("\0", bytes(accountId), "\x01");
  expect(addresses).toEqual(client.cat(addressOf(alice), addressOf(bob)));
});

test("contents are padded to the sizes that the text says", () => {
  const padded = (content: number) => {
    const size = content + 2; // 0x80, and one for the block cipher.
    if (size <= 256) return 255;
    if (size <= 1280) return Math.ceil(size / 128) * 128 - 1;
    const e = Math.floor(Math.log2(size));
    const step = 2 ** (e - Math.floor(Math.log2(e)) - 1);
    return Math.ceil(size / step) * step - 1;
  };
  for (const vector of vectors.padding) expect(padded(vector.content)).toBe(vector.padded);
});

test("a live frame and a presence token are made as the text says", () => {
  expect(hkdf("", bytes(presence.key), "Parley presence token v1", 32)).toBe(presence.token);
  const frame = bytes(live.frame);
  expect(frame.subarray(0, 17)).toEqual(client.cat("\x01", bytes(live.id), bytes(live.nonce)));
  const opened = c.createDecipheriv("aes-256-gcm", bytes(live.key), frame.subarray(5, 17));
  const route = [bytes(live.senderAccount), byte(live.senderDevice), bytes(live.recipient)];
  opened.setAAD(client.cat("Parley live v1\0", ...route)).setAuthTag(frame.subarray(-16));
  const content = client.cat(opened.update(frame.subarray(17, -16)), opened.final());
  expect(content.subarray(0, bytes(live.content).length)).toEqual(bytes(live.content));
  expect(fromBinary(LiveContentSchema, bytes(live.content)).activity).toBe(1);
});

test("a safety number is that of libsignal's fingerprint of the root keys", () => {
  const fingerprint = ({ accountId, rootKey }: { accountId: string; rootKey: string }) => {
    const key = client.identityOf(bytes(rootKey));
    let hash = sha("sha512", "\0\0", key, bytes(accountId), key);
    for (let round = 1; round < 5200; round++) hash = sha("sha512", hash, key);
    return hash;
  };
  const digits = (who: { accountId: string; rootKey: string }) => {
    const hash = fingerprint(who);
    const groups = [0, 5, 10, 15, 20, 25].map((at) => hash.readUIntBE(at, 5) % 100_000);
    return groups.map((group) => String(group).padStart(5, "0")).join("");
  };
  const both = [digits(alice), digits(bob)].sort().join("");
  expect(both.replace(/.{5}(?=.)/g, "$& ")).toBe(safetyNumber.digits);
  const shown = (who: typeof alice) => fingerprint(who).subarray(0, 32).toString("hex");
  expect(safetyNumber.codeOfAlice).toBe(
    `0802${`12220a20${shown(alice)}`}${`1a220a20${shown(bob)}`}`,
  );
});
