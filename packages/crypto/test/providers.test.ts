import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AsyncProvider,
  CryptoError,
  deriveDeviceKeys,
  nobleProvider,
  type PrimitiveCall,
  runAsync,
  runSync,
  signAsIdentity,
  verifyAsIdentity,
  x25519,
} from "../src/index.ts";
import { nodeProvider } from "../src/platform/node.ts";
import { seededRandom } from "./fixtures/random.ts";

const node = nodeProvider();
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

test("both providers answer every call with the same bytes", () =>
  fc.assert(
    fc.property(bytes32, bytes32, fc.uint8Array({ maxLength: 200 }), (a, b, message) => {
      const same = (call: PrimitiveCall): Uint8Array => {
        const answer = node.answer(call);
        expect(answer).toEqual(nobleProvider.answer(call));
        return answer;
      };
      const publicKey = same({ primitive: "x25519PublicKey", privateKey: b });
      same({ primitive: "x25519", privateKey: a, publicKey });
      const signature = same({ primitive: "ed25519Sign", seed: a, message });
      const signer = same({ primitive: "ed25519PublicKey", seed: a });
      const verify = { primitive: "ed25519Verify", message, publicKey: signer } as const;
      expect(same({ ...verify, signature })).toEqual(Uint8Array.of(1));
      for (const at of [0, 31, 32, 62, 63]) {
        const changed = signature.slice();
        changed[at] = (changed[at] as number) ^ (1 + (message.length % 255));
        expect(same({ ...verify, signature: changed })).toEqual(Uint8Array.of(0));
      }
      // Half of all strings are no point: neither provider may throw.
      same({ primitive: "ed25519Verify", publicKey: b, message, signature });
    }),
    { numRuns: 60, seed: 4 },
  ));

describe("a driver", () => {
  const lowOrder = new Uint8Array(32);

  test("hands a refusal to the operation, which may answer it", async () => {
    function* careful() {
      try {
        yield* x25519(new Uint8Array(32).fill(1), lowOrder);
        return "taken";
      } catch (cause) {
        return cause instanceof CryptoError ? cause.code : "another error";
      }
    }
    const later: AsyncProvider = { answer: async (call) => node.answer(call) };
    expect(runSync(node, careful())).toBe("invalid-key");
    expect(await runAsync(later, careful())).toBe("invalid-key");
  });

  test("refuses a shared secret of zero, whatever the provider says", () => {
    const broken = { answer: () => new Uint8Array(32) };
    const key = new Uint8Array(32).fill(9);
    expect(() => runSync(broken, x25519(key, key))).toThrow(CryptoError);
  });

  test("waits for every answer of an asynchronous provider", async () => {
    const random = seededRandom("async");
    const slow: AsyncProvider = {
      answer: async (call) => {
        await Promise.resolve();
        return node.answer(call);
      },
    };
    const keys = await runAsync(slow, deriveDeviceKeys(random(32)));
    const message = random(20);
    const signature = await runAsync(slow, signAsIdentity(keys, message));
    const signed = { identity: keys.identity, message, signature };
    expect(await runAsync(slow, verifyAsIdentity(signed))).toBe(true);
    signature[0] = (signature[0] as number) ^ 1;
    expect(await runAsync(slow, verifyAsIdentity(signed))).toBe(false);
  });
});

test("the node provider keeps no more keys than it says, and still answers right", () => {
  const provider = nodeProvider();
  const random = seededRandom("many keys");
  for (let n = 0; n < 200; n++) {
    const seed = random(32);
    const message = random(8);
    const call = { primitive: "ed25519Sign", seed, message } as const;
    expect(provider.answer(call)).toEqual(node.answer(call));
  }
});
