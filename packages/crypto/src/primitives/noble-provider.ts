import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { concatBytes, equalBytes } from "@parley/protocol";
import type { PrimitiveCall, SyncProvider } from "../operation.ts";
import { sha512 } from "./hash.ts";

/** The primitives in JavaScript: runs anywhere. A platform's own are 10 to 20 times as fast. */
export const nobleProvider: SyncProvider = {
  answer(call: PrimitiveCall): Uint8Array {
    switch (call.primitive) {
      case "x25519":
        return x25519.scalarMult(call.privateKey, call.publicKey);
      case "x25519PublicKey":
        return x25519.getPublicKey(call.privateKey);
      case "ed25519Sign":
        return ed25519.sign(call.message, call.seed);
      case "ed25519PublicKey":
        return ed25519.getPublicKey(call.seed);
      case "ed25519Verify":
        return Uint8Array.of(verify(call) ? 1 : 0);
      case "mlKemPublicKey":
        return ML_KEM[call.parameters].keygen(call.seed).publicKey;
      case "mlKemDecapsulate": {
        const kem = ML_KEM[call.parameters];
        return kem.decapsulate(call.ciphertext, kem.keygen(call.seed).secretKey);
      }
    }
  },
};

const ML_KEM = { "ML-KEM-768": ml_kem768, "ML-KEM-1024": ml_kem1024 } as const;

type Verify = Extract<PrimitiveCall, { primitive: "ed25519Verify" }>;

/**
 * RFC 8032 section 5.1.7 without the cofactor, R compared as bytes: what OpenSSL and WebCrypto do. noble's own
 * `verify` multiplies by the cofactor, and would accept signatures that the others refuse.
 */
function verify({ publicKey, message, signature }: Verify): boolean {
  if (signature.length !== 64) return false;
  const { Point } = ed25519;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= Point.Fn.ORDER) return false;
  try {
    const a = Point.fromBytes(publicKey);
    const k = Point.Fn.create(littleEndian(sha512(concatBytes(r, publicKey, message))));
    const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
    return equalBytes(expected.toBytes(), r);
  } catch {
    return false;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
  return value;
}
