import fs from "node:fs";
import { describe, expect, test } from "vitest";
import {
  aesCbcDecrypt,
  aesCbcEncrypt,
  aesGcmOpen,
  aesGcmSeal,
  CryptoError,
  ed25519Verify,
  hkdfSha256,
  hmacSha256,
  nobleProvider,
  runSync,
  x25519,
} from "../src/index.ts";
import { nodeProvider } from "../src/platform/node.ts";

interface Group {
  readonly tests: readonly Case[];
  readonly [field: string]: unknown;
}
type Case = Readonly<Record<string, string>> & {
  readonly tcId: number;
  readonly flags: readonly string[];
  readonly size: number;
};

function groupsOf(name: string): readonly Group[] {
  const url = new URL(`vectors/wycheproof/${name}_test.json`, import.meta.url);
  return JSON.parse(fs.readFileSync(url, "utf8")).testGroups;
}

const hex = (text: unknown): Uint8Array => Uint8Array.from(Buffer.from(String(text), "hex"));

/** Runs every case, and says how many were met, so that a filter cannot hide them all. */
function each(name: string, check: (vector: Case, group: Group) => void): number {
  let count = 0;
  for (const group of groupsOf(name))
    for (const vector of group.tests) {
      try {
        check(vector, group);
      } catch (cause) {
        throw new Error(`${name} ${vector.tcId}: ${vector["comment"]}`, { cause });
      }
      count += 1;
    }
  return count;
}

const providers = [
  ["noble", nobleProvider],
  ["node", nodeProvider()],
] as const;

describe.each(providers)("the %s provider", (_, provider) => {
  test("agrees with the vectors of X25519, and refuses the keys that Parley refuses", () => {
    let agreed = 0;
    let refused = 0;
    each("x25519", (vector) => {
      const agree = () => runSync(provider, x25519(hex(vector["private"]), hex(vector["public"])));
      const weak = ["LowOrderPublic", "NonCanonicalPublic", "ZeroSharedSecret"];
      const unusedBitSet = (hex(vector["public"])[31] as number) >= 0x80;
      if (vector.flags.some((flag) => weak.includes(flag)) || unusedBitSet) {
        expect(agree).toThrow(CryptoError);
        refused += 1;
      } else {
        expect(agree()).toEqual(hex(vector["shared"]));
        agreed += 1;
      }
    });
    expect(agreed + refused).toBe(518);
    expect(agreed).toBeGreaterThan(450);
  });

  test("agrees with the vectors of Ed25519", () => {
    const count = each("ed25519", (vector, group) => {
      const { pk } = group["publicKey"] as { pk: string };
      const signed = {
        publicKey: hex(pk),
        message: hex(vector["msg"]),
        signature: hex(vector["sig"]),
      };
      expect(runSync(provider, ed25519Verify(signed))).toBe(vector["result"] === "valid");
    });
    expect(count).toBe(150);
  });
});

test("AES-256-CBC agrees with its vectors", () => {
  let checked = 0;
  each("aes_cbc_pkcs5", (vector, group) => {
    if (group["keySize"] !== 256) return;
    checked += 1;
    const [key, iv, ct] = [hex(vector["key"]), hex(vector["iv"]), hex(vector["ct"])];
    if (vector["result"] === "valid") {
      expect(aesCbcEncrypt(key, iv, hex(vector["msg"]))).toEqual(ct);
      expect(aesCbcDecrypt(key, iv, ct)).toEqual(hex(vector["msg"]));
    } else expect(() => aesCbcDecrypt(key, iv, ct)).toThrow(CryptoError);
  });
  expect(checked).toBe(72);
});

test("AES-256-GCM agrees with its vectors", () => {
  let checked = 0;
  each("aes_gcm", (vector, group) => {
    if (group["keySize"] !== 256 || group["ivSize"] !== 96) return;
    checked += 1;
    const aead = { key: hex(vector["key"]), nonce: hex(vector["iv"]), aad: hex(vector["aad"]) };
    const sealed = hex(`${vector["ct"]}${vector["tag"]}`);
    if (vector["result"] === "valid") {
      expect(aesGcmSeal(aead, hex(vector["msg"]))).toEqual(sealed);
      expect(aesGcmOpen(aead, sealed)).toEqual(hex(vector["msg"]));
    } else expect(() => aesGcmOpen(aead, sealed)).toThrow(CryptoError);
  });
  expect(checked).toBeGreaterThan(60);
});

test("HMAC-SHA256 agrees with its vectors", () => {
  const count = each("hmac_sha256", (vector, group) => {
    const whole = hmacSha256(hex(vector["key"]), hex(vector["msg"]));
    const tag = whole.subarray(0, Number(group["tagSize"]) / 8);
    if (vector["result"] === "valid") expect(tag).toEqual(hex(vector["tag"]));
    else expect(tag).not.toEqual(hex(vector["tag"]));
  });
  expect(count).toBe(174);
});

test("HKDF-SHA256 agrees with its vectors", () => {
  const count = each("hkdf_sha256", (vector) => {
    const derive = () =>
      hkdfSha256({
        ikm: hex(vector["ikm"]),
        salt: hex(vector["salt"]),
        info: hex(vector["info"]),
        length: vector.size,
      });
    if (vector["result"] === "valid") expect(derive()).toEqual(hex(vector["okm"]));
    else expect(derive).toThrow();
  });
  expect(count).toBe(86);
});
