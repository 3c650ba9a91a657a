/** The epoch in docs/protocol-vectors.json, computed anew as chapters 10.5 to 10.7 of PROTOCOL.md say. */
import * as c from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const FILE = new URL("../../../../docs/protocol-vectors.json", import.meta.url);
const { pqRatchet: vector } = JSON.parse(readFileSync(FILE, "utf8"));
const bytes = (hex: string) => Buffer.from(hex, "hex");
const [header, headerMac, keyVector] = [vector.header, vector.headerMac, vector.vector].map(bytes);
const [ct1, ct2, ciphertextMac] = [vector.ct1, vector.ct2, vector.ciphertextMac].map(bytes);

const PREFIX = "Signal_PQCKA_V1_MLKEM768:";
const EPOCH_1 = Buffer.of(0, 0, 0, 0, 0, 0, 0, 1);
const labelled = (label: string, ...rest: Uint8Array[]) =>
  Buffer.concat([Buffer.from(PREFIX + label), EPOCH_1, ...rest]);
const hkdf = (salt: Uint8Array, ikm: Uint8Array, info: Uint8Array | string, size: number) =>
  Buffer.from(c.hkdfSync("sha256", ikm, salt, info, size));
const hmac = (key: Uint8Array, text: Uint8Array) =>
  c.createHmac("sha256", key).update(text).digest();
const part = (whole: Buffer, n: number) => whole.subarray(32 * n, 32 * (n + 1));
const ZEROS = Buffer.alloc(32);

interface Said {
  readonly from: string;
  readonly epoch: number;
  readonly index: number;
  readonly type: number;
  readonly chunk?: { readonly index: number; readonly data: Buffer };
  readonly key: Buffer;
  readonly isLost: boolean;
}

/** All numbers here are below 128: a byte each. */
const said: Said[] = vector.messages.map((line: string): Said => {
  const [from = "", message = "", key = "", lost] = line.split(" ");
  const [version, epoch = 0, index = 0, type = 0, chunkIndex = 0, ...data] = bytes(message);
  expect([version, data.length]).toEqual([1, [0, 4].includes(type) ? 0 : 32]);
  const chunk = data.length === 0 ? {} : { chunk: { index: chunkIndex, data: Buffer.from(data) } };
  return { from, epoch, index, type, ...chunk, key: bytes(key), isLost: lost === "lost" };
});

/** GF(2^16), bit by bit. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 15; bit >= 0; bit--) {
    product = (product << 1) ^ (product & 0x8000 ? 0x1100b : 0);
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

/** By Fermat: a^(2^16 - 2). */
function inverse(a: number): number {
  let result = 1;
  for (let n = 0, power = times(a, a); n < 15; n++, power = times(power, power))
    result = times(result, power);
  return result;
}

function chunkAt(whole: Buffer, i: number): Buffer {
  const count = whole.length / 32;
  if (i < count) return part(whole, i);
  const chunk = Buffer.alloc(32);
  for (let j = 0; j < count; j++) {
    let weight = 1;
    for (let k = 0; k < count; k++)
      if (k !== j) weight = times(weight, times(i ^ k, inverse(j ^ k)));
    for (let at = 0; at < 32; at += 2) {
      const word = times(weight, whole.readUInt16BE(32 * j + at));
      chunk.writeUInt16BE(chunk.readUInt16BE(at) ^ word, at);
    }
  }
  return chunk;
}

test("an encapsulation key, cut, gives header and vector, and ct1 with ct2 opens to the secret", () => {
  const key = { key: bytes(vector.seed), format: "raw-seed", asymmetricKeyType: "ml-kem-768" };
  const secretKey = c.createPrivateKey(key as c.PrivateKeyInput);
  const publicKey = c.createPublicKey(secretKey).export({ format: "raw-public" });
  expect(Buffer.concat([keyVector as Buffer, part(header as Buffer, 0)])).toEqual(publicKey);
  expect(c.createHash("sha3-256").update(publicKey).digest()).toEqual(part(header as Buffer, 1));
  const [encapsulated, hash] = [bytes(vector.m), part(header as Buffer, 1)];
  const first = c.createHash("sha3-512").update(encapsulated).update(hash).digest();
  const opened = c.decapsulate(secretKey, Buffer.concat([ct1 as Buffer, ct2 as Buffer]));
  expect(part(first, 0)).toEqual(opened);
  expect(opened).toEqual(bytes(vector.sharedSecret));
});

test("the authenticator moves with the epoch's secret, between the header's MAC and the ciphertext's", () => {
  const update = (root: Buffer, key: Buffer) =>
    hkdf(ZEROS, Buffer.concat([root, key]), labelled("Authenticator Update"), 64);
  const before = update(ZEROS, bytes(vector.key));
  expect(part(before, 1)).toEqual(bytes(vector.macKeyBefore));
  expect(hmac(part(before, 1), labelled("ekheader", header as Buffer))).toEqual(headerMac);
  const secret = hkdf(ZEROS, bytes(vector.sharedSecret), labelled("SCKA Key"), 32);
  expect(secret).toEqual(bytes(vector.secret));
  const after = update(part(before, 0), secret);
  expect(part(after, 1)).toEqual(bytes(vector.macKeyAfter));
  const whole = labelled("ciphertext", ct1 as Buffer, ct2 as Buffer);
  expect(hmac(part(after, 1), whole)).toEqual(ciphertextMac);
});

test("every chunk is the value at its index, those behind the part's own included", () => {
  const parts: Record<number, Buffer> = {
    1: Buffer.concat([header as Buffer, headerMac as Buffer]),
    2: keyVector as Buffer,
    3: keyVector as Buffer,
    5: ct1 as Buffer,
    6: Buffer.concat([ct2 as Buffer, ciphertextMac as Buffer]),
  };
  const behind = new Set<number>();
  for (const { epoch, type, chunk } of said) {
    if (chunk === undefined || epoch !== 1) continue;
    const whole = parts[type] as Buffer;
    expect(chunk.data).toEqual(chunkAt(whole, chunk.index));
    if (chunk.index >= whole.length / 32) behind.add(type);
  }
  expect(behind.size).toBeGreaterThanOrEqual(3);
});

test("each message's key is that of the epoch before the one that it names, on its sender's chain", () => {
  const first = hkdf(ZEROS, bytes(vector.key), "Signal PQ Ratchet V1 Chain  Start", 96);
  const info = "Signal PQ Ratchet V1 Chain Add Epoch";
  const second = hkdf(part(first, 0), bytes(vector.secret), info, 96);
  const chains = [first, second].map((keys) => new Map(chainsOf(keys)));
  for (const { from, epoch, index, key } of said) {
    const chain = chains[epoch - 1]?.get(from) ?? expect.unreachable();
    chain.index += 1;
    expect(index).toBe(chain.index);
    const next = Buffer.concat([uint32(index), Buffer.from("Signal PQ Ratchet V1 Chain Next")]);
    const keys = hkdf(ZEROS, chain.key, next, 64);
    chain.key = part(keys, 0);
    expect(key).toEqual(part(keys, 1));
  }
});

function chainsOf(keys: Buffer): [string, { key: Buffer; index: number }][] {
  return [
    ["initiator", { key: part(keys, 1), index: 0 }],
    ["responder", { key: part(keys, 2), index: 0 }],
  ];
}

function uint32(value: number): Buffer {
  const written = Buffer.alloc(4);
  written.writeUInt32BE(value);
  return written;
}

/** The table of chapter 10.6: K is who brings the key, C who encapsulates, each in the states of epoch 1. */
class Walk {
  #k = 1;
  #c = 1;
  readonly #got = { 1: new Set(), 2: new Set(), 5: new Set(), 6: new Set() };

  /** Type and epoch of what the side sends now. */
  sends(from: string): [type: number, epoch: number] {
    if (from === "initiator") {
      if (this.#k === 1) this.#k = 2;
      return this.#k === 6 ? [0, 2] : [this.#k - 1, 1];
    }
    if (this.#c === 2) this.#c = 3;
    return this.#c === 7
      ? [1, 2]
      : [[0, 5, 0, 5, 6][[1, 3, 4, 5, 6].indexOf(this.#c)] as number, 1];
  }

  takes({ from, type, chunk, epoch }: Said): void {
    if (from === "responder") this.#initiatorTakes(type, chunk?.index);
    else if (epoch === 2) this.#c = 7;
    else this.#responderTakes(type, chunk?.index);
  }

  #initiatorTakes(type: number, chunk: number | undefined): void {
    if (type === 5 && this.#k < 4) {
      this.#k = this.#got[5].add(chunk).size === 30 ? 4 : 3;
    } else if (type === 6 && (this.#k === 4 || this.#k === 5)) {
      this.#k = this.#got[6].add(chunk).size === 5 ? 6 : 5;
    }
  }

  #responderTakes(type: number, chunk: number | undefined): void {
    if (type === 1 && this.#c === 1 && this.#got[1].add(chunk).size === 3) this.#c = 2;
    if (this.#c < 3 || this.#c > 5) return;
    const isAck = type === 3 || type === 4 || this.#c === 4;
    if (type === 2 || type === 3) this.#got[2].add(chunk);
    const isWhole = this.#got[2].size >= 36;
    this.#c = isWhole ? (isAck ? 6 : 5) : isAck ? 4 : 3;
  }
}

test("both sides go through the states of the table, whatever is lost", () => {
  const walk = new Walk();
  for (const message of said) {
    const { from, type, epoch, isLost } = message;
    expect([type, epoch]).toEqual(walk.sends(from));
    if (!isLost) walk.takes(message);
  }
  expect(said.filter(({ isLost }) => isLost).length).toBeGreaterThan(20);
  for (const side of ["initiator", "responder"])
    expect(said.findLast(({ from }) => from === side)?.epoch).toBe(2);
});
