import { sha256 } from "@noble/hashes/sha2.js";
import { ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { copyOf, equalBytes, fromHex } from "@parley/protocol";
import type { AsyncProvider, MlKemParameters, PrimitiveCall, SyncProvider } from "../operation.ts";

/**
 * A platform's provider that is believed primitive by primitive: before the first answer of each, it has to
 * know answers that are known. Where it throws, lacks the primitive or says something else, the fallback (JavaScript)
 * answers from then on. Nothing is checked that is never asked, so that a start costs nothing.
 */
export function trusted(provider: SyncProvider, fallback: SyncProvider): SyncProvider {
  const verdicts = new Map<string, boolean>();
  return {
    answer(call) {
      const name = nameOf(call);
      let isRight = verdicts.get(name);
      if (isRight === undefined) {
        isRight = knowsAnswers(provider, call);
        verdicts.set(name, isRight);
      }
      return (isRight ? provider : fallback).answer(call);
    },
  };
}

export function trustedAsync(provider: AsyncProvider, fallback: AsyncProvider): AsyncProvider {
  const verdicts = new Map<string, Promise<boolean>>();
  return {
    async answer(call) {
      const name = nameOf(call);
      let verdict = verdicts.get(name);
      if (verdict === undefined) {
        verdict = knowsAnswersLater(provider, call);
        verdicts.set(name, verdict);
      }
      return ((await verdict) ? provider : fallback).answer(call);
    },
  };
}

function nameOf(call: PrimitiveCall): string {
  return "parameters" in call ? `${call.primitive} ${call.parameters}` : call.primitive;
}

function knowsAnswers(provider: SyncProvider, like: PrimitiveCall): boolean {
  try {
    return knownAnswers(like).every(({ call, answer }) =>
      equalBytes(provider.answer(call), answer),
    );
  } catch {
    return false;
  }
}

async function knowsAnswersLater(provider: AsyncProvider, like: PrimitiveCall): Promise<boolean> {
  try {
    for (const { call, answer } of knownAnswers(like))
      if (!equalBytes(await provider.answer(call), answer)) return false;
    return true;
  } catch {
    return false;
  }
}

export interface KnownAnswer {
  readonly call: PrimitiveCall;
  readonly answer: Uint8Array;
}

/** For the primitive of that call. */
export function knownAnswers(like: PrimitiveCall): readonly KnownAnswer[] {
  switch (like.primitive) {
    case "x25519": {
      const call = { primitive: "x25519", privateKey: SCALAR, publicKey: U } as const;
      return [{ call, answer: PRODUCT }];
    }
    case "x25519PublicKey":
      return [
        { call: { primitive: "x25519PublicKey", privateKey: SCALAR }, answer: SCALAR_PUBLIC },
      ];
    case "ed25519Sign":
      // Twice: a signature with randomness of its own is another one each time.
      return [SIGN, SIGN];
    case "ed25519PublicKey":
      return [{ call: { primitive: "ed25519PublicKey", seed: SEED }, answer: SIGNER }];
    case "ed25519Verify":
      return [
        verification(SIGNATURE, YES),
        verification(TOO_LARGE_SIGNATURE, NO),
        verification(COFACTOR_SIGNATURE, NO),
        verification(SIGNATURE.subarray(1), NO),
      ];
    case "mlKemPublicKey":
      return [mlKemPublicKeyAnswer(like.parameters)];
    case "mlKemDecapsulate":
      return decapsulationAnswers(like.parameters);
  }
}

/** RFC 7748 section 5.2. */
const SCALAR = fromHex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
const U = fromHex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
const PRODUCT = fromHex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
const SCALAR_PUBLIC = fromHex("1c9fd88f45606d932a80c71824ae151d15d73e77de38e8e000852e614fae7019");

/** RFC 8032 section 7.1, test 3. */
const SEED = fromHex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
const SIGNER = fromHex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
const MESSAGE = fromHex("af82");
const R = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac";
const SIGNATURE = fromHex(`${R}18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a`);
/** The same with the group's order added to S: RFC 8032 section 5.1.7 refuses it. */
const TOO_LARGE_SIGNATURE = fromHex(
  `${R}05d391b0a77904e98404ef037747a56e4a7c15e9716ed28dc027beceea1ec41a`,
);
/** R has a part of order 8: only a verification that multiplies by the cofactor takes it (operation.ts). */
const COFACTOR_SIGNATURE = fromHex(
  "6a84d583f06569edb3f5ed77df65544b27d6948b4f0b2cb76f33dd8413b20719" +
    "0cb9e045b74f4ab78d94c803a156660dc98f2795dd1c0c2f0b96e868d9930d06",
);
const SIGN: KnownAnswer = {
  call: { primitive: "ed25519Sign", seed: SEED, message: MESSAGE },
  answer: SIGNATURE,
};
const YES = Uint8Array.of(1);
const NO = Uint8Array.of(0);

function verification(signature: Uint8Array, answer: Uint8Array): KnownAnswer {
  const call = {
    primitive: "ed25519Verify",
    publicKey: SIGNER,
    message: MESSAGE,
    signature,
  } as const;
  return { call, answer };
}

const KEM_SEED = Uint8Array.from({ length: 64 }, (_, at) => at);
const KEM_MESSAGE = new Uint8Array(32).fill(7);
const KEM = {
  "ML-KEM-768": {
    kem: ml_kem768,
    publicKeySha256: "0b7934c83125c788995e2ba6bd761e33046b3e40571be53e023309a29f398cc9",
    secret: fromHex("f3409cb545c0757aab3d7c7b9e8be4225b4aac1107f6663f1f19dc676a69de60"),
    rejected: fromHex("ca9587d7ea1ae694aad10f192af1cae17b804b579c527865cce1bb125b27313d"),
  },
  "ML-KEM-1024": {
    kem: ml_kem1024,
    publicKeySha256: "c7b8fa0aa471d5ae18922d6ccad5b31e1d84f92ae723abfd13747018740a8530",
    secret: fromHex("0f569bf284efa80866fb11e6c3668b40390687f8be08fc46c7cc09ccdda44270"),
    rejected: fromHex("32a9c1419cd713976f9548a824d27035fe0db5693662ff382df919c969ab4871"),
  },
} as const;

/** The key itself is 1.2 KB and more: made in JavaScript, and held against its hash. */
function mlKemPublicKeyAnswer(parameters: MlKemParameters): KnownAnswer {
  const { kem, publicKeySha256 } = KEM[parameters];
  const { publicKey } = kem.keygen(KEM_SEED);
  if (!equalBytes(sha256(publicKey), fromHex(publicKeySha256)))
    throw new Error(`JavaScript's own ${parameters} is wrong`);
  return { call: { primitive: "mlKemPublicKey", parameters, seed: KEM_SEED }, answer: publicKey };
}

/** One that is for us, and one that is not (implicit rejection). */
function decapsulationAnswers(parameters: MlKemParameters): readonly KnownAnswer[] {
  const { kem, secret, rejected } = KEM[parameters];
  const { cipherText } = kem.encapsulate(kem.keygen(KEM_SEED).publicKey, KEM_MESSAGE);
  const call = { primitive: "mlKemDecapsulate", parameters, seed: KEM_SEED } as const;
  const other = copyOf(cipherText);
  other[5] = (other[5] as number) ^ 1;
  return [
    { call: { ...call, ciphertext: cipherText }, answer: secret },
    { call: { ...call, ciphertext: other }, answer: rejected },
  ];
}
