import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import {
  type AsyncProvider,
  CryptoError,
  deriveDeviceKeys,
  type MlKemParameters,
  type Primitive,
  type PrimitiveCall,
  runAsync,
  runSync,
  type SyncProvider,
  signAsIdentity,
  verifyAsIdentity,
  x25519,
} from "../src/index.ts";
import { nobleOnDemand } from "../src/platform/noble-on-demand.ts";
import { bareNodeProvider, nodeProvider } from "../src/platform/node.ts";
import { nodeSymmetric } from "../src/platform/node-symmetric.ts";
import {
  type KnownAnswer,
  knownAnswers,
  trusted,
  trustedAsync,
} from "../src/platform/self-test.ts";
import { startCrypto } from "../src/platform/start.ts";
import { agreesWithNoble } from "../src/platform/start-node.ts";
import { bareWebProvider } from "../src/platform/web.ts";
import { nobleProvider } from "../src/primitives/noble-provider.ts";
import { installSymmetric, nobleSymmetric, symmetric } from "../src/primitives/symmetric.ts";
import { seededRandom } from "./fixtures/random.ts";

const node = bareNodeProvider();
const web = bareWebProvider(crypto.subtle);
const fcBytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const bytes32 = fcBytes(32);

/** The answer, which must be every provider's. */
async function same(call: PrimitiveCall): Promise<Uint8Array> {
  const answer = nobleProvider.answer(call);
  expect(node.answer(call)).toEqual(answer);
  expect(await web.answer(call)).toEqual(answer);
  return answer;
}

describe("every provider answers with the same bytes", () => {
  test("on the curves", () =>
    fc.assert(
      fc.asyncProperty(
        bytes32,
        bytes32,
        fc.uint8Array({ maxLength: 200 }),
        async (a, b, message) => {
          const publicKey = await same({ primitive: "x25519PublicKey", privateKey: b });
          await same({ primitive: "x25519", privateKey: a, publicKey });
          const signature = await same({ primitive: "ed25519Sign", seed: a, message });
          const signer = await same({ primitive: "ed25519PublicKey", seed: a });
          const verify = { primitive: "ed25519Verify", message, publicKey: signer } as const;
          expect(await same({ ...verify, signature })).toEqual(Uint8Array.of(1));
          for (const at of [0, 31, 32, 62, 63]) {
            const changed = signature.slice();
            changed[at] = (changed[at] as number) ^ (1 + (message.length % 255));
            expect(await same({ ...verify, signature: changed })).toEqual(Uint8Array.of(0));
          }
          // Half of all strings are no point: no provider may throw.
          await same({ primitive: "ed25519Verify", publicKey: b, message, signature });
        },
      ),
      { numRuns: 60, seed: 4 },
    ));

  test("with ML-KEM, for ciphertexts of ours and of nobody's", () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom<MlKemParameters>("ML-KEM-768", "ML-KEM-1024"),
        fcBytes(64),
        fc.infiniteStream(fc.nat(255)),
        async (parameters, seed, stream) => {
          await same({ primitive: "mlKemPublicKey", parameters, seed });
          const length = parameters === "ML-KEM-768" ? 1088 : 1568;
          const ciphertext = Uint8Array.from([...stream.take(length)]);
          await same({ primitive: "mlKemDecapsulate", parameters, seed, ciphertext });
        },
      ),
      { numRuns: 20, seed: 5 },
    ));

  test("in the symmetric steps, refusals included", () =>
    fc.assert(
      fc.property(bytes32, fcBytes(16), fc.uint8Array({ maxLength: 1_500 }), (key, iv, message) => {
        const both = (step: (by: typeof nodeSymmetric) => Uint8Array) => {
          const answer = outcome(() => step(nobleSymmetric));
          expect(outcome(() => step(nodeSymmetric))).toEqual(answer);
          return answer;
        };
        both((by) => by.sha256(message));
        both((by) => by.sha512(message));
        both((by) => by.hmacSha256(message, key));
        both((by) => by.hkdfSha256({ ikm: key, info: message, length: 1 + message.length }));
        both((by) => by.hkdfSha256({ salt: message, ikm: key, info: iv, length: 80 }));
        const cbc = both((by) => by.aesCbcEncrypt(key, iv, message)) as Uint8Array;
        both((by) => by.aesCbcDecrypt(key, iv, cbc));
        both((by) => by.aesCbcDecrypt(key, iv, message));
        const aead = { key, nonce: iv.subarray(0, 12), aad: message };
        const sealed = both((by) => by.aesGcmSeal(aead, message)) as Uint8Array;
        both((by) => by.aesGcmOpen(aead, sealed));
        both((by) => by.aesGcmOpen({ ...aead, aad: iv }, sealed));
        both((by) => by.aesGcmOpen(aead, message.subarray(0, 20)));
      }),
      { numRuns: 200, seed: 6 },
    ));
});

/** The bytes, or that it refused. */
function outcome(step: () => Uint8Array): Uint8Array | "refused" {
  try {
    return step();
  } catch {
    return "refused";
  }
}

const LIKE: Readonly<Record<Primitive, PrimitiveCall>> = {
  x25519: { primitive: "x25519", privateKey: new Uint8Array(32), publicKey: new Uint8Array(32) },
  x25519PublicKey: { primitive: "x25519PublicKey", privateKey: new Uint8Array(32) },
  ed25519Sign: { primitive: "ed25519Sign", seed: new Uint8Array(32), message: new Uint8Array(0) },
  ed25519PublicKey: { primitive: "ed25519PublicKey", seed: new Uint8Array(32) },
  ed25519Verify: {
    primitive: "ed25519Verify",
    publicKey: new Uint8Array(32),
    message: new Uint8Array(0),
    signature: new Uint8Array(64),
  },
  mlKemPublicKey: {
    primitive: "mlKemPublicKey",
    parameters: "ML-KEM-768",
    seed: new Uint8Array(64),
  },
  mlKemDecapsulate: {
    primitive: "mlKemDecapsulate",
    parameters: "ML-KEM-1024",
    seed: new Uint8Array(64),
    ciphertext: new Uint8Array(1568),
  },
};
const PRIMITIVES = Object.keys(LIKE) as readonly Primitive[];

describe.each(PRIMITIVES)("the self-test of %s", (primitive) => {
  const known: readonly KnownAnswer[] = knownAnswers(LIKE[primitive]);
  const { call, answer } = known[0] as KnownAnswer;
  const lie = (asked: PrimitiveCall, truth: Uint8Array) =>
    asked.primitive === primitive ? truth.map((byte) => byte ^ 1) : truth;

  test("is passed by every provider", async () => {
    for (const each of known) {
      expect(nobleProvider.answer(each.call)).toEqual(each.answer);
      expect(node.answer(each.call)).toEqual(each.answer);
      expect(await web.answer(each.call)).toEqual(each.answer);
    }
  });

  test("puts JavaScript in the place of a provider that answers wrong", async () => {
    const liar: SyncProvider = { answer: (asked) => lie(asked, node.answer(asked)) };
    expect(trusted(liar, nobleProvider).answer(call)).toEqual(answer);
    const later: AsyncProvider = { answer: async (asked) => liar.answer(asked) };
    expect(await trustedAsync(later, nobleOnDemand).answer(call)).toEqual(answer);
  });

  test("puts JavaScript in the place of a provider that lacks it", async () => {
    const without: SyncProvider = {
      answer: (asked) => {
        if (asked.primitive === primitive) throw new Error("not supported");
        return node.answer(asked);
      },
    };
    expect(trusted(without, nobleProvider).answer(call)).toEqual(answer);
    const later: AsyncProvider = { answer: async (asked) => without.answer(asked) };
    expect(await trustedAsync(later, nobleOnDemand).answer(call)).toEqual(answer);
  });
});

describe("a provider is not believed", () => {
  const verify = (signature: Uint8Array) => ({ ...LIKE.ed25519Verify, signature }) as PrimitiveCall;

  test("that takes every signature", () => {
    const credulous: SyncProvider = { answer: () => Uint8Array.of(1) };
    expect(trusted(credulous, nobleProvider).answer(verify(new Uint8Array(64)))).toEqual(
      Uint8Array.of(0),
    );
  });

  test("that signs with randomness of its own", () => {
    let asked = 0;
    const hedged: SyncProvider = {
      answer: (call) => {
        const signature = node.answer(call);
        asked += 1;
        return asked === 1 ? signature : signature.map((byte) => byte ^ asked);
      },
    };
    const call = LIKE.ed25519Sign;
    expect(trusted(hedged, nobleProvider).answer(call)).toEqual(node.answer(call));
  });

  test.each(Object.keys(nodeSymmetric) as (keyof typeof nodeSymmetric)[])(
    "that has another %s",
    (step) => {
      const wrong = () => new Uint8Array(32);
      expect(agreesWithNoble(nodeSymmetric)).toBe(true);
      expect(agreesWithNoble({ ...nodeSymmetric, [step]: wrong })).toBe(false);
    },
  );

  test("that opens what was sealed with other data beside it", () => {
    const aesGcmOpen: typeof nodeSymmetric.aesGcmOpen = (aead, sealed) =>
      outcome(() => nodeSymmetric.aesGcmOpen(aead, sealed)) === "refused"
        ? sealed.subarray(16)
        : nodeSymmetric.aesGcmOpen(aead, sealed);
    expect(agreesWithNoble({ ...nodeSymmetric, aesGcmOpen })).toBe(false);
  });
});

describe("at the start", () => {
  afterEach(() => installSymmetric(nobleSymmetric));
  const key = new Uint8Array(32).fill(7);
  const secretBy = nobleProvider.answer({ primitive: "x25519PublicKey", privateKey: key });

  test("Node's own primitives are chosen where there is Node, for symmetric steps too", async () => {
    const started = await startCrypto();
    expect(started.kind).toBe("node");
    expect(symmetric).toBe(nodeSymmetric);
    expect(await started.run(x25519(key, secretBy))).toEqual(
      runSync(nobleProvider, x25519(key, secretBy)),
    );
  });

  test("WebCrypto is chosen where there is no Node", async () => {
    const started = await startCrypto({ crypto });
    expect(started.kind).toBe("web");
    expect(symmetric).toBe(nobleSymmetric);
    expect(await started.run(x25519(key, secretBy))).toEqual(
      runSync(nobleProvider, x25519(key, secretBy)),
    );
  });

  test("JavaScript is chosen where there is neither, as in an insecure context", async () => {
    for (const scope of [{}, { crypto: {} }]) {
      const started = await startCrypto(scope);
      expect(started.kind).toBe("noble");
      expect(await started.run(x25519(key, secretBy))).toEqual(
        runSync(nobleProvider, x25519(key, secretBy)),
      );
    }
  });
});

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
