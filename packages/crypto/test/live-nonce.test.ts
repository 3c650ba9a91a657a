import { toHex } from "@parley/protocol";
import { expect, test } from "vitest";
import { LIVE_NONCE_BYTES, openLive, sealLive } from "../src/index.ts";
import { seededRandom } from "./fixtures/random.ts";

const random = seededRandom("live nonce");
const key = { id: random(4), key: random(32) };
const route = { senderAccount: random(16), senderDevice: 1, recipient: random(16) };
const NONCE_AT = 1 + key.id.length;
const SEALED_AT = NONCE_AT + LIVE_NONCE_BYTES;

/** With one nonce twice, this would be the difference of the two texts (NIST SP 800-38D section 8). */
const difference = (a: Uint8Array, b: Uint8Array) =>
  a.subarray(SEALED_AT, -16).map((byte, at) => byte ^ (b[SEALED_AT + at] as number));

test("no two live frames under one key share a nonce: each goes out under the one drawn for it", () => {
  const contents = Array.from({ length: 200 }, () => random(20));
  const nonces = contents.map(() => random(LIVE_NONCE_BYTES));
  const frames = contents.map((content, at) =>
    sealLive(key, route, content, nonces[at] as Uint8Array),
  );
  const used = frames.map((frame) => frame.subarray(NONCE_AT, SEALED_AT));
  expect(used).toEqual(nonces);
  expect(new Set(used.map(toHex)).size).toBe(frames.length);
  for (const [at, frame] of frames.entries())
    expect(openLive(key.key, route, frame)).toEqual(contents[at]);
  const [one, other] = frames as [Uint8Array, Uint8Array];
  const [text, otherText] = contents as [Uint8Array, Uint8Array];
  const texts = text.map((byte, at) => byte ^ (otherText[at] as number));
  expect(difference(one, other).subarray(0, texts.length)).not.toEqual(texts);
});
