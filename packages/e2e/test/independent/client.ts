/** A client that does what docs/PROTOCOL.md says (chapters in brackets). Of ours it has generated types only. */
import * as c from "node:crypto";
import { on } from "node:events";
import * as pb from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { WebSocket } from "ws";
import { ContentSchema } from "../../../protocol/src/gen/parley/content/v1/content_pb.ts";
import * as inner from "../../../protocol/src/gen/parley/content/v1/entry_pb.ts";
import { AccountEntrySchema } from "../../../protocol/src/gen/parley/wire/v1/account_pb.ts";
import * as wire from "../../../protocol/src/gen/parley/wire/v1/frame_pb.ts";

type Bytes = Uint8Array;
type Pair = readonly [Bytes, Bytes];
type Part = Bytes | string; // A string stands for its bytes, "\x05" for the byte 5.
type Response = wire.ServerFrame["response"];
type Init<D extends pb.DescMessage> = pb.MessageInitShape<D>;
const pack = <D extends pb.DescMessage>(schema: D, value: Init<D>) =>
  pb.toBinary(schema, pb.create(schema, value));
export const cat = (...parts: readonly Part[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
const u16 = (value: number) => Uint8Array.of(value >> 8, value); // [1]
const u32 = (value: number) => cat(u16(value >>> 16), u16(value));
const hash = (name: string, ...parts: readonly Part[]) =>
  c.hash(name, cat(...parts), { outputEncoding: "buffer", outputLength: 32 });
const hmac = (key: Bytes, text: Part) => c.createHmac("sha256", key).update(text).digest();
const macOf = (key: Bytes, ...text: Bytes[]) => hmac(key, cat(...text)).subarray(0, 8);
const cut = (all: Buffer) => [all.subarray(0, 32), all.subarray(32, 64), all.subarray(64)] as const;
const hkdf = (salt: Part, ikm: Bytes, info: Part, size: number) =>
  cut(Buffer.from(c.hkdfSync("sha256", ikm, salt, info, size)));
const run = (by: c.Cipheriv | c.Decipheriv, text: Bytes) => cat(by.update(text), by.final());
export const sign = (seed: Bytes, ...text: Part[]) => cat(ed25519.sign(cat(...text), seed));
export const dh = (mine: Bytes, theirs: Bytes) => x25519.getSharedSecret(mine, theirs.subarray(1));
export const curveKey = (scalar: Bytes) => cat("\x05", x25519.getPublicKey(scalar));
export const identityOf = (key: Bytes) => cat("\x05", ed25519.utils.toMontgomery(key));
export function newAccount(rootSeed: Bytes, seed: Bytes, number: number) {
  const [rootKey, identityKey] = [ed25519.getPublicKey(rootSeed), ed25519.getPublicKey(seed)];
  const id = hash("sha256", "Parley account id v1\0", rootKey).subarray(0, 16);
  const consent = sign(seed, "Parley device consent v1\0", id, "\x01", u32(number), identityKey);
  const value = { deviceId: 1, identityKey, registrationId: number, consent };
  const state = cat(id, rootKey, "\x01", identityKey, u32(number), consent, "\0\0");
  const changes = [{ change: { case: "addDevice", value } as const }];
  const signer = { case: "root", value: { rootKey } } as const; // [4.2]
  const stateHash = hash("sha256", "Parley account state v1\0", state);
  const first = { accountId: id, era: 1, version: 1, signer, changes, stateHash };
  const body = pack(AccountEntrySchema, first);
  const entry = { body, signature: sign(rootSeed, "Parley account entry v1\0", body) };
  return { id, seed, entry, head: headOf(body) };
}
export function headOf(body: Bytes) {
  const { era, version } = pb.fromBinary(AccountEntrySchema, body);
  return { era, version, hash: hash("sha256", body).subarray(0, 16) };
}
export function connect(origin: string) {
  const socket = new WebSocket(`${origin.replace("http", "ws")}/v1/socket`);
  const messages = on(socket, "message"); // [2]
  const next = async <C extends Response["case"]>(name: C) => {
    for (;;) {
      const [data] = (await messages.next()).value as [Bytes];
      const { response } = pb.fromBinary(wire.ServerFrameSchema, data);
      if (response.case === "error") throw new Error(response.value.message);
      if (response.case === name) return response.value as Extract<Response, { case: C }>["value"];
    }
  };
  type Frame = Init<typeof wire.ClientFrameSchema>;
  return { next, tell: (frame: Frame) => socket.send(pack(wire.ClientFrameSchema, frame)) };
}
export function login(me: { id: Bytes; seed: Bytes }, origin: string, nonce: Bytes) {
  const signed = ["Parley login v1\0", u16(origin.length), origin, nonce, me.id, "\x01"];
  return { origin, accountId: me.id, deviceId: 1, signature: sign(me.seed, ...signed) }; // [3.2]
}
export function prekey(seed: Bytes, publicKey: Bytes) {
  const [signature, key] = [sign(seed, publicKey), ed25519.getPublicKey(seed)];
  signature.set([Number(signature[63]) | (Number(key[31]) & 0x80)], 63);
  return { id: 1, publicKey, signature }; // [10.2]
}
type Secrets = { seed: Bytes; curve: Bytes; kyber: c.KeyObject };
export function accept({ seed, curve, kyber }: Secrets, deviceKey: Bytes, message: Bytes) {
  type Fields = [0, 0, base: Bytes, identity: Bytes, message: Bytes, 0, 0, 0, ct: Bytes];
  const [, , base, identity, first, , , , typed] = fieldsOf<Fields>(message.subarray(1));
  const [own, ct] = [ed25519.utils.toMontgomerySecret(seed), typed.subarray(1)];
  const ss = hash("shake256", c.decapsulate(kyber, ct), hash("sha3-256", ct));
  const ikm = cat(Buffer.alloc(32, 255), dh(curve, identity), dh(own, base), dh(curve, base), ss);
  const [root, , pq] = hkdf("", ikm, "WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024", 96);
  if (!identityOf(deviceKey).equals(identity)) throw new Error("another device");
  const [, theirs, mine] = hkdf("", pq, "Signal PQ Ratchet V1 Chain  Start", 96); // [10.5]
  const session = ratchet([curveKey(own), identity], root, curve, [mine, theirs]);
  return { session, plaintext: session.receive(first) }; // [10.3]
}
export const fieldsOf = <T>(bytes: Bytes, fields: unknown[] = []) => {
  for (const reader = new BinaryReader(bytes.subarray(1)); reader.pos < reader.len; ) {
    const [field, type] = reader.tag();
    fields[field] = type === 0 ? reader.uint32() : reader.bytes();
  }
  return fields as T;
};
function keysAt([chain, pq]: Pair, counter: number, pqMessage: Bytes, key = pq) {
  for (let at = 0; at < counter; at++) chain = hmac(chain, "\x02"); // In earnest, forget these.
  for (let at = 0, index = new BinaryReader(pqMessage.subarray(2)).uint32(); at++ < index; )
    [pq, key] = hkdf("", pq, cat(u32(at), "Signal PQ Ratchet V1 Chain Next"), 64);
  return hkdf(key, hmac(chain, "\x01"), "WhisperMessageKeys", 80);
}
export function ratchet([mine, theirs]: Pair, root: Bytes, own: Bytes, [pqOut, pqIn]: Pair) {
  let receiving = { key: "", chain: root };
  let sending = { chain: root, counter: 0, previous: 0, index: 1 };
  const turn = (key: Bytes) => hkdf(root, dh(own, key), "WhisperRatchet", 64); // [10.4]
  return {
    receive(message: Bytes) {
      const [body, mac] = [message.subarray(0, -8), message.subarray(-8)];
      const [, key, at, , text, pq] = fieldsOf<[0, Bytes, number, 0, Bytes, Bytes]>(body);
      const [turned, chain] = receiving.key === `${key}` ? [root, receiving.chain] : turn(key);
      const [cipherKey, macKey, iv] = keysAt([chain, pqIn], at, pq);
      if (!macOf(macKey, theirs, mine, body).equals(mac)) throw new Error("not genuine");
      if (turned !== root) {
        [receiving, root, own] = [{ key: `${key}`, chain }, turned, c.randomBytes(32)];
        sending = { ...sending, counter: 0, previous: Math.max(0, sending.counter - 1) };
        [root, sending.chain] = turn(key);
      }
      return run(c.createDecipheriv("aes-256-cbc", cipherKey, iv), text);
    },
    send(text: Bytes) {
      const { chain, counter, previous, index } = sending;
      const none = new BinaryWriter().uint32(1).uint32(1).uint32(index).uint32(0).finish();
      const [cipherKey, macKey, iv] = keysAt([chain, pqOut], counter, none);
      const ciphertext = run(c.createCipheriv("aes-256-cbc", cipherKey, iv), text);
      const fields = new BinaryWriter().tag(1, 2).bytes(curveKey(own)).tag(2, 0).uint32(counter);
      fields.tag(3, 0).uint32(previous).tag(4, 2).bytes(ciphertext).tag(5, 2).bytes(none);
      const message = cat("\x44", fields.finish()); // [10.8]
      sending = { ...sending, counter: counter + 1, index: index + 1 };
      return cat("\x02", message, macOf(macKey, mine, theirs, message));
    },
  };
}
export function textIn(plaintext: Buffer) {
  const content = pb.fromBinary(ContentSchema, plaintext.subarray(0, plaintext.lastIndexOf(0x80)));
  const { head, body } = content.class.value as inner.Entry; // [11.2]
  const { chain, counter, lamport } = pb.fromBinary(inner.EntryHeadSchema, head);
  const seen = { chain, counter, lamport, hash: hash("sha256", head).subarray(0, 8) };
  return { seen, text: (pb.fromBinary(inner.EntryBodySchema, body).kind.value as inner.Text).text };
}
type Heads = Pick<Init<typeof ContentSchema>, "senderHead" | "recipientHead">;
export function contentOf(text: string, seen: Init<typeof inner.SeenSchema>, heads: Heads) {
  const [chain, messageId] = [c.randomBytes(8), c.randomBytes(16)];
  const body = pack(inner.EntryBodySchema, { messageId, kind: { case: "text", value: { text } } });
  const bodyHash = hash("sha256", body).subarray(0, 16); // [11.4]
  const first = { chain, counter: 1, lamport: 1 + Number(seen.lamport), seen, bodyHash };
  const value = { head: pack(inner.EntryHeadSchema, first), body };
  const entry = { chain: { chain, start: 1 }, class: { case: "entry", value } } as const;
  return Buffer.concat([pack(ContentSchema, { ...heads, ...entry }), Buffer.of(0x80)], 383); // [11.1]
}
