import { concatBytes, toHex } from "@parley/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CryptoError,
  deriveLinkKeys,
  formatLinkCode,
  isCommittedTo,
  linkCodeFor,
  linkDigits,
  openLinkStep,
  parseLinkCode,
  sealLinkStep,
  sha256,
  x25519PublicKey,
} from "../src/index.ts";
import { run } from "./fixtures/party.ts";
import { seededRandom } from "./fixtures/random.ts";

const random = seededRandom("linking");
const keys = { ephemeralKey: random(32), identityKey: random(32) };
const code = linkCodeFor(random(16), keys);

describe("a code", () => {
  test("has 52 characters, and is read as people type it", () => {
    const shown = formatLinkCode(code);
    expect(shown).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){12}[0-9A-HJKMNP-TV-Z]{4}$/);
    const typed = shown
      .toLowerCase()
      .replaceAll("-", "  ")
      .replaceAll("1", "l")
      .replaceAll("0", "o");
    for (const text of [shown, typed]) expect(parseLinkCode(text)).toEqual({ kind: "code", code });
  });

  test("is what was shown, whatever it is", () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, bytes, (address, commitment) => {
        const parsed = parseLinkCode(formatLinkCode({ address, commitment }));
        expect(parsed).toEqual({ kind: "code", code: { address, commitment } });
      }),
    );
  });

  test("says what is wrong with it", () => {
    const shown = formatLinkCode(code);
    const problemOf = (typed: string) => {
      const parsed = parseLinkCode(typed);
      return parsed.kind === "mistyped" ? parsed.problem : undefined;
    };
    expect(problemOf("")).toBe("length");
    expect(problemOf(`${shown}0`)).toBe("length");
    expect(problemOf(`U${shown.slice(1)}`)).toBe("character");
    // 52 characters hold four bits more than there are.
    expect(problemOf(`${shown.slice(0, -1)}1`)).toBe("character");
  });

  test("commits to both keys", () => {
    const hash = sha256(concatBytes(keys.ephemeralKey, keys.identityKey));
    expect(toHex(code.commitment)).toBe(toHex(hash.subarray(0, 16)));
    expect(isCommittedTo(code, keys)).toBe(true);
    expect(isCommittedTo(code, { ...keys, ephemeralKey: random(32) })).toBe(false);
    expect(isCommittedTo(code, { ...keys, identityKey: random(32) })).toBe(false);
    expect(() => linkCodeFor(random(15), keys)).toThrow(CryptoError);
  });
});

describe("the two sides", () => {
  const [ofNew, ofLinker] = [random(32), random(32)];
  const ephemerals = {
    newDevice: run(x25519PublicKey(ofNew)),
    linker: run(x25519PublicKey(ofLinker)),
  };
  const linkKeys = run(deriveLinkKeys(ofNew, ephemerals.linker, ephemerals));

  test("agree on keys, one for each direction, and nobody else does", () => {
    expect(run(deriveLinkKeys(ofLinker, ephemerals.newDevice, ephemerals))).toEqual(linkKeys);
    expect(linkKeys.toNewDevice).not.toEqual(linkKeys.toLinker);
    const swapped = { newDevice: ephemerals.linker, linker: ephemerals.newDevice };
    expect(run(deriveLinkKeys(ofNew, ephemerals.linker, swapped))).not.toEqual(linkKeys);
    expect(run(deriveLinkKeys(random(32), ephemerals.linker, ephemerals))).not.toEqual(linkKeys);
    expect(() => run(deriveLinkKeys(ofNew, new Uint8Array(32), ephemerals))).toThrow(CryptoError);
  });

  test("show six digits that hang on all that was agreed on", () => {
    const parties = { ...ephemerals, accountId: random(16), identityKey: keys.identityKey };
    const digits = linkDigits(parties);
    expect(digits).toMatch(/^\d{6}$/);
    for (const [name, bytes] of Object.entries({
      newDevice: random(32),
      linker: random(32),
      accountId: random(16),
      identityKey: random(32),
    }))
      expect(linkDigits({ ...parties, [name]: bytes }), name).not.toBe(digits);
    // So few are short that zeros in front must be seen to be kept.
    const all = Array.from({ length: 200 }, () =>
      linkDigits({ ...parties, accountId: random(16) }),
    );
    expect(all.every((each) => each.length === 6)).toBe(true);
    expect(all.some((each) => each.startsWith("0"))).toBe(true);
  });

  test("open what was sealed for them in that step, and nothing else", () => {
    const plaintext = random(100);
    const sealed = sealLinkStep(linkKeys.toLinker, 2, { plaintext, nonce: random(12) });
    expect(openLinkStep(linkKeys.toLinker, 2, sealed)).toEqual(plaintext);
    expect(() => openLinkStep(linkKeys.toNewDevice, 2, sealed)).toThrow(CryptoError);
    expect(() => openLinkStep(linkKeys.toLinker, 3, sealed)).toThrow(CryptoError);
    for (const at of [0, 12, sealed.length - 1]) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => openLinkStep(linkKeys.toLinker, 2, changed)).toThrow(CryptoError);
    }
    for (const length of [0, 12, 20])
      expect(() => openLinkStep(linkKeys.toLinker, 2, sealed.subarray(0, length))).toThrow(
        CryptoError,
      );
  });
});
