import { equalBytes } from "@parley/protocol";
import { type Operation, runSync } from "../operation.ts";
import {
  installSymmetric,
  nobleSymmetric,
  type SymmetricPrimitives,
} from "../primitives/symmetric.ts";
import { nodeProvider } from "./node.ts";
import { nodeSymmetric } from "./node-symmetric.ts";

export interface NodeCrypto {
  readonly kind: "node";
  run<T>(operation: Operation<T>): T;
}

/** node:crypto for public-key and symmetric steps. */
export function startNodeCrypto(): NodeCrypto {
  if (agreesWithNoble(nodeSymmetric)) installSymmetric(nodeSymmetric);
  const provider = nodeProvider();
  return { kind: "node", run: (operation) => runSync(provider, operation) };
}

/** The same bytes as JavaScript, and the same refusals: a fraction of a millisecond. */
export function agreesWithNoble(other: SymmetricPrimitives): boolean {
  const [key, other32] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const message = Uint8Array.from({ length: 100 }, (_, at) => at);
  const iv = message.subarray(0, 16);
  const aead = { key, nonce: message.subarray(0, 12), aad: other32 };
  const cbc = nobleSymmetric.aesCbcEncrypt(key, iv, message);
  const gcm = nobleSymmetric.aesGcmSeal(aead, message);
  const hkdf = { salt: other32, ikm: key, info: message, length: 80 };
  const steps: readonly ((by: SymmetricPrimitives) => Uint8Array)[] = [
    (by) => by.sha256(message),
    (by) => by.sha512(message),
    (by) => by.hmacSha256(key, message),
    (by) => by.hkdfSha256(hkdf),
    (by) => by.hkdfSha256({ ...hkdf, salt: undefined }),
    (by) => by.aesCbcEncrypt(key, iv, message),
    (by) => by.aesCbcDecrypt(key, iv, cbc),
    (by) => by.aesGcmSeal(aead, message),
    (by) => by.aesGcmOpen(aead, gcm),
  ];
  try {
    return (
      steps.every((step) => equalBytes(step(other), step(nobleSymmetric))) &&
      refuses(() => other.aesGcmOpen({ ...aead, aad: key }, gcm)) &&
      refuses(() => other.aesCbcDecrypt(key, iv, cbc.subarray(1)))
    );
  } catch {
    return false;
  }
}

function refuses(step: () => unknown): boolean {
  try {
    step();
    return false;
  } catch {
    return true;
  }
}
