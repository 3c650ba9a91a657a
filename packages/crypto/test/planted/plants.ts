export interface Plant {
  readonly bug: string;
  /** Of scenarios.ts: must fail with the bug, and with nothing else. */
  readonly scenario: string;
  readonly edits: readonly Edit[];
}

/** `find` stands once in the file, below src. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const RATCHET = "ratchet/double-ratchet.ts";
const ACCEPT_DISTRIBUTION = "group/accept-distribution.ts";

const plant = (bug: string, scenario: string, ...edits: readonly Edit[]): Plant => ({
  bug,
  scenario,
  edits,
});

/** Mistakes that were made by others, or that are easily made (e2ee.md 3.7): each must be seen. */
export const PLANTS: readonly Plant[] = [
  plant("MAC skipped", "a message is refused whose MAC was changed", {
    file: RATCHET,
    find: 'if (!isGenuine(message, mac)) return failed("not-authentic");',
    replace: "",
  }),
  plant("duplicate accepted in a session", "a message that comes again is a repeat", {
    file: RATCHET,
    find: "return read(replaceChain(state, forwarded.chain), opened, nowMs);",
    replace: "return read(state, { ...opened, pqRatchet: state.pqRatchet as PqRatchet }, nowMs);",
  }),
  plant("duplicate accepted in a group", "a group message that comes again is a repeat", {
    file: "group/decrypt-from-group.ts",
    find: "(each === state ? opened.state : each)",
    replace: "each",
  }),
  plant("key not deleted", "the key of a skipped message is gone once it was read", {
    file: "ratchet/skipped-keys.ts",
    find: ".filter((key) => key.counter !== counter)",
    replace: "",
  }),
  plant("key not deleted, post-quantum", "the key of a skipped message is gone once it was read", {
    file: "spqr/epoch-chains.ts",
    find: ".filter((each) => each !== found)",
    replace: "",
  }),
  plant("identity check not awaited", "a bundle is refused that its identity did not sign", {
    file: "handshake/begin-session.ts",
    find: "if (!(yield* verifyAsIdentity({ identity, message: publicKey, signature }))) return false;",
    replace: "if (!verifyAsIdentity({ identity, message: publicKey, signature })) return false;",
  }),
  plant("missing SPQR salt", "what libsignal took and sent holds", {
    file: "ratchet/ratchet-keys.ts",
    find: "salt: pqKey,",
    replace: "salt: undefined,",
  }),
  plant("all-zero DH accepted", "a shared secret of zeros is refused", {
    file: "operation.ts",
    find: 'if (call.primitive === "x25519" && answer.every((byte) => byte === 0))',
    replace: "if (false as boolean)",
  }),
  plant("keys of low order accepted", "a key of low order is refused before it is used", {
    file: "primitives/curve25519.ts",
    find: "!isBelowPrime(publicKey) ||\n    LOW_ORDER_U.some((low) => equalBytes(low, publicKey))",
    replace: "!isBelowPrime(publicKey)",
  }),
  plant("signature on only the signed prekey checked", "both prekeys must be signed", {
    file: "handshake/begin-session.ts",
    find: "of [signed, kyber])",
    replace: "of [signed])",
  }),
  plant("signature on only the Kyber prekey checked", "both prekeys must be signed", {
    file: "handshake/begin-session.ts",
    find: "of [signed, kyber])",
    replace: "of [kyber])",
  }),
  plant("nonce reused in a session", "no key is used with one nonce twice", {
    file: RATCHET,
    find: "const next = { ...sending, chainKey: nextChainKey, counter: sending.counter + 1 };\n  return { state: { ...state, sending: next, pqRatchet: pq.ratchet }, message };",
    replace:
      "const next = { ...sending, counter: sending.counter + (nextChainKey.length - 31) };\n  return { state: { ...state, sending: next }, message };",
  }),
  plant("nonce reused in a group", "no key is used with one nonce twice", {
    file: "group/encrypt-to-group.ts",
    find: "chainKey: nextChainKey, iteration: own.iteration + 1",
    replace: "iteration: own.iteration + (nextChainKey.length - 31)",
  }),
  plant("nonce reused in a stream", "no key is used with one nonce twice", {
    file: "stream/stream-cipher.ts",
    find: "setUint32(PREFIX_BYTES, index);",
    replace: "setUint32(PREFIX_BYTES, 0);",
  }),
  plant("consent not checked", "no account lists a device that did not consent", {
    file: "chain/account-changes.ts",
    find: "if (!base.devices.includes(device) && !(yield* consents(base.accountId, device)))",
    replace: "if (!base.devices.includes(device) && !consents(base.accountId, device))",
  }),
  plant("era compared after version", "a longer chain of an earlier era is older", {
    file: "chain/account-state.ts",
    find: "return a.era - b.era || a.version - b.version;",
    replace: "return a.version - b.version || a.era - b.era;",
  }),
  plant("a repeat reported as a failure", "a message that comes again is a repeat", {
    file: RATCHET,
    find: 'if (skipped === undefined) return { kind: "repeat" };',
    replace: 'if (skipped === undefined) return failed("not-authentic");',
  }),
  plant(
    "a repeat on a chain that is gone reported as a failure",
    "an old message that comes again is a repeat",
    {
      file: RATCHET,
      find: 'return message.counter < usedBelow ? { kind: "repeat" } : failed("not-authentic");',
      replace: 'return failed("not-authentic");',
    },
  ),
  plant("second owner of a distribution", "a distribution has one owner", {
    file: ACCEPT_DISTRIBUTION,
    find: 'if (!isBoundTo(held, from, claimed.groupId)) return refused("second-owner");',
    replace: "",
  }),
  plant("a distribution that claims another device", "a distribution has one owner", {
    file: ACCEPT_DISTRIBUTION,
    find: 'if (!isSameDevice(claimed, from)) return refused("false-claim");',
    replace: "",
  }),
  plant("field 6 missing in a prekey message", "a prekey message names both devices", {
    file: "ratchet/encrypt.ts",
    find: "named ? addressesField(local, remote) : undefined",
    replace: "named ? undefined : undefined",
  }),
  plant("field 6 not demanded", "a prekey message without addresses is refused", {
    file: "ratchet/decrypt.ts",
    find: "const demanded = isPrekeyMessage && rules.addressesInPrekeyMessages;",
    replace: "const demanded = isPrekeyMessage && !rules.addressesInPrekeyMessages;",
  }),
  plant(
    "Ed25519 sign bit dropped by the signer",
    "what an identity signs it is seen to have signed",
    {
      file: "identity/device-keys.ts",
      find: "signature[63] = (signature[63] as number) | ((keys.ed25519Public[31] as number) & SIGN_BIT);",
      replace: "",
    },
  ),
  plant(
    "Ed25519 sign bit dropped by the verifier",
    "what an identity signs it is seen to have signed",
    {
      file: "identity/device-keys.ts",
      find: "edwardsOf(montgomeryPart(signed.identity), signBit)",
      replace: "edwardsOf(montgomeryPart(signed.identity), signBit & 0)",
    },
  ),
  plant("a handshake on the last-resort prekey replayed", "a prekey serves one session", {
    file: "handshake/accept-session.ts",
    find: 'if (lastResortUsed) return "replayed";',
    replace: "",
  }),
];
