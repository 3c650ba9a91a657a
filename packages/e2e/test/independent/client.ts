/** A client made from docs/PROTOCOL.md alone (its chapters in brackets). Of ours it has generated types only. */
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
type Part = Bytes | string; // A string stands for its bytes, "\x05" for the byte 5.
type Response = wire.ServerFrame["response"];
type Init<D extends pb.DescMessage> = pb.MessageInitShape<D>;
const encode = <D extends pb.DescMessage>(schema: D, value: Init<D>) =>
  pb.toBinary(schema, pb.create(schema, value));
export const cat = (...parts: readonly Part[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
const u16 = (value: number) => Uint8Array.of(value >> 8, value); // [1]
const hash = (name: string, ...parts: readonly Part[]) =>
  c.hash(name, cat(...parts), { outputEncoding: "buffer", outputLength: 32 });
const hmac = (key: Bytes, text: Part) => c.createHmac("sha256", key).update(text).digest();
const hkdf = (salt: Part, ikm: Bytes, info: string, size: number) => {
  const all = Buffer.from(c.hkdfSync("sha256", ikm, salt, info, size));
  return [all.subarray(0, 32), all.subarray(32, 64), all.subarray(64)] as const;
};
export const sign = (seed: Bytes, ...text: Part[]) => cat(ed25519.sign(cat(...text), seed));
export const dh = (mine: Bytes, theirs: Bytes) => x25519.getSharedSecret(mine, theirs.subarray(1));
export const curveKey = (scalar: Bytes) => cat("\x05", x25519.getPublicKey(scalar));
export const identityOf = (key: Bytes) => cat("\x05", ed25519.utils.toMontgomery(key));
export function newAccount(rootSeed: Bytes, seed: Bytes, registrationId: number) {
  const [rootKey, identityKey] = [ed25519.getPublicKey(rootSeed), ed25519.getPublicKey(seed)];
  const id = hash("sha256", "Parley account id v1\0", rootKey).subarray(0, 16);
  const number = cat("\0\0", u16(registrationId)); // [4.2]
  const consent = sign(seed, "Parley device consent v1\0", id, "\x01", number, identityKey);
  const value = { deviceId: 1, identityKey, registrationId, consent };
  const state = cat(id, rootKey, "\x01", identityKey, number, consent, u16(0));
  const body = encode(AccountEntrySchema, {
    ...{ accountId: id, era: 1, version: 1, signer: { case: "root", value: { rootKey } } },
    changes: [{ change: { case: "addDevice", value } }],
    stateHash: hash("sha256", "Parley account state v1\0", state),
  });
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
  const tell = (frame: Init<typeof wire.ClientFrameSchema>) =>
    socket.send(encode(wire.ClientFrameSchema, frame));
  return { next, tell };
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
  const [, , base, identity, first, , , , typed] = fieldsOf<Fields>(message.subarray(2));
  const [mine, ct] = [ed25519.utils.toMontgomerySecret(seed), typed.subarray(1)];
  const ss = hash("shake256", c.decapsulate(kyber, ct), hash("sha3-256", ct));
  const ikm = cat(Buffer.alloc(32, 255), dh(curve, identity), dh(mine, base), dh(curve, base), ss);
  const [root] = hkdf("", ikm, "WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024", 96);
  if (!identityOf(deviceKey).equals(identity)) throw new Error("another device");
  const session = ratchet(curveKey(mine), identity, root, curve);
  return { session, plaintext: session.receive(first) }; // [10.3]
}
export const fieldsOf = <T>(bytes: Bytes, fields: unknown[] = []) => {
  for (const reader = new BinaryReader(bytes); reader.pos < reader.len; ) {
    const [field, type] = reader.tag();
    fields[field] = type === 0 ? reader.uint32() : reader.bytes();
  }
  return fields as T;
};
export function ratchet(mine: Bytes, theirs: Bytes, root: Bytes, own: Bytes) {
  let receiving = { ratchetKey: "", chain: root, next: 0 };
  let sending = { chain: root, counter: 0, previous: 0 };
  const turn = (key: Bytes) => hkdf(root, dh(own, key), "WhisperRatchet", 64); // [10.4]
  const keysOf = (chain: Bytes) => hkdf("", hmac(chain, "\x01"), "WhisperMessageKeys", 80);
  const macOf = (key: Bytes, ...text: Bytes[]) => hmac(key, cat(...text)).subarray(0, 8);
  return {
    receive(message: Bytes) {
      const [body, mac] = [message.subarray(0, -8), message.subarray(-8)];
      const [, key, counter, , text] = fieldsOf<[0, Bytes, number, 0, Bytes]>(body.subarray(1));
      const isNew = receiving.ratchetKey !== `${key}`;
      const [turned, first] = isNew ? turn(key) : [root, receiving.chain];
      let [chain, next] = [first, isNew ? 0 : receiving.next];
      for (; next < counter; next++) chain = hmac(chain, "\x02");
      const [cipherKey, macKey, iv] = keysOf(chain);
      if (!macOf(macKey, theirs, mine, body).equals(mac)) throw new Error("not genuine");
      receiving = { ratchetKey: `${key}`, chain: hmac(chain, "\x02"), next: next + 1 };
      if (isNew) {
        [root, own] = [turned, c.randomBytes(32)];
        [root, chain] = turn(key);
        sending = { chain, counter: 0, previous: Math.max(0, sending.counter - 1) };
      }
      const cipher = c.createDecipheriv("aes-256-cbc", cipherKey, iv);
      return cat(cipher.update(text), cipher.final());
    },
    send(text: Bytes) {
      const { chain, counter, previous } = sending;
      const [cipherKey, macKey, iv] = keysOf(chain);
      const cipher = c.createCipheriv("aes-256-cbc", cipherKey, iv);
      const fields = new BinaryWriter().tag(1, 2).bytes(curveKey(own));
      fields.tag(2, 0).uint32(counter).tag(3, 0).uint32(previous);
      fields.tag(4, 2).bytes(cat(cipher.update(text), cipher.final()));
      const message = cat("\x44", fields.finish()); // [10.5]
      sending = { chain: hmac(chain, "\x02"), counter: counter + 1, previous };
      return cat("\x12", message, macOf(macKey, mine, theirs, message));
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
  const kind = { case: "text", value: { text } } as const;
  const body = encode(inner.EntryBodySchema, { messageId, kind });
  const bodyHash = hash("sha256", body).subarray(0, 16); // [11.4]
  const first = { chain, counter: 1, lamport: 1 + Number(seen.lamport), seen, bodyHash };
  const value = { head: encode(inner.EntryHeadSchema, first), body };
  const entry = { chain: { chain, start: 1 }, class: { case: "entry", value } } as const;
  return Buffer.concat([encode(ContentSchema, { ...heads, ...entry }), Buffer.of(0x80)], 383); // [11.1]
}
