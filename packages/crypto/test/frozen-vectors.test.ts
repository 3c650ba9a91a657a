import fs from "node:fs";
import { create } from "@bufbuild/protobuf";
import { fromHex, KeyDistributionSchema, toHex } from "@parley/protocol";
import { describe, expect, test } from "vitest";
import {
  acceptDistribution,
  confirmsSafetyNumber,
  decryptFromGroup,
  distributionOf,
  encryptToGroup,
  makeSenderKey,
  prepareToSend,
  runSync,
  safetyNumber,
  verifyAsIdentity,
  withHolders,
} from "../src/index.ts";
import { nodeProvider } from "../src/platform/node.ts";
import { nobleProvider } from "../src/primitives/noble-provider.ts";
import { type FrozenSession, relive } from "./fixtures/frozen-session.ts";
import { seededRandom } from "./fixtures/random.ts";

/** Written by tools/interop/freeze.ts, from runs with libsignal. */
const read = (name: string) =>
  JSON.parse(fs.readFileSync(new URL(`vectors/frozen/${name}.json`, import.meta.url), "utf8"));
const { sessions } = read("sessions") as { sessions: FrozenSession[] };
const senderKeys = read("sender-keys") as SenderKeys;
const identities = read("identities") as Identities;

interface SenderKeys {
  readonly theirs: { readonly distribution: string; readonly messages: readonly GroupMessage[] };
  readonly ours: {
    readonly seed: string;
    readonly nowMs: number;
    readonly distribution: string;
    readonly messages: readonly GroupMessage[];
  };
}

interface GroupMessage {
  readonly text: string;
  readonly ciphertext: string;
}

interface Identities {
  readonly signatures: readonly { identity: string; message: string; signature: string }[];
  readonly safetyNumbers: readonly {
    a: FrozenParty;
    b: FrozenParty;
    digits: string;
    scannableOfA: string;
  }[];
}

interface FrozenParty {
  readonly accountId: string;
  readonly rootKey: string;
}

const groupId = seededRandom("group")(32);

describe.each([
  ["node:crypto", nodeProvider()],
  ["noble", nobleProvider],
])("with %s, what libsignal took and sent", (_, provider) => {
  const run = <T>(operation: Parameters<typeof runSync<T>>[1]) => runSync(provider, operation);

  test.each(sessions.map((session) => [session.name, session] as const))(
    "holds: %s",
    (_, session) => {
      expect(relive(session, provider)).toEqual(session);
    },
  );

  test("holds: sender keys of ours", () => {
    const { seed, nowMs, distribution, messages } = senderKeys.ours;
    const holder = { accountId: groupId.slice(16), deviceId: 1, identity: new Uint8Array(33) };
    const made = run(makeSenderKey({ groupId, nowMs, random: seededRandom(seed) }));
    let own = withHolders(made, [holder]);
    expect(toHex(distributionOf(own))).toBe(distribution);
    for (const { text, ciphertext } of messages) {
      const prepared = prepareToSend(own, [holder], nowMs);
      if (prepared.kind !== "ready") throw new Error(prepared.kind);
      const sent = run(encryptToGroup(prepared.key, new TextEncoder().encode(text), nowMs));
      if (sent.kind !== "encrypted") throw new Error(sent.reason);
      own = sent.own;
      expect(toHex(sent.ciphertext)).toBe(ciphertext);
    }
  });

  test("holds: sender keys of libsignal's, backwards", () => {
    const { distribution, messages } = senderKeys.theirs;
    const from = { accountId: groupId.slice(16), deviceId: 1, identity: new Uint8Array(33) };
    const claim = { groupId, accountId: from.accountId, deviceId: 1 };
    const key = create(KeyDistributionSchema, { ...claim, distribution: fromHex(distribution) });
    const taken = acceptDistribution(undefined, from, key);
    if (taken.kind !== "accepted") throw new Error(taken.kind);
    let { record } = taken;
    for (const { text, ciphertext } of messages.toReversed()) {
      const context = { groupId, from, nowMs: 0 };
      const opened = run(decryptFromGroup(record, context, fromHex(ciphertext)));
      if (opened.kind !== "opened") throw new Error(opened.kind);
      const outcome = opened.message.checkedBy(() => claim);
      if (outcome.kind !== "plaintext") throw new Error(outcome.kind);
      expect(new TextDecoder().decode(outcome.plaintext)).toBe(text);
      record = outcome.record;
    }
  });

  test("holds: signatures of libsignal's", () => {
    for (const each of identities.signatures) {
      const [identity, message, signature] = [
        fromHex(each.identity),
        fromHex(each.message),
        fromHex(each.signature),
      ];
      expect(run(verifyAsIdentity({ identity, message, signature }))).toBe(true);
      signature[63] = (signature[63] as number) ^ 0x80;
      expect(run(verifyAsIdentity({ identity, message, signature }))).toBe(false);
    }
  });
});

test("safety numbers are libsignal's, digit for digit and byte for byte", () => {
  const party = ({ accountId, rootKey }: FrozenParty) => ({
    accountId: fromHex(accountId),
    rootKey: fromHex(rootKey),
  });
  for (const { a, b, digits, scannableOfA } of identities.safetyNumbers) {
    const shown = safetyNumber(party(a), party(b));
    expect(shown.digits.replaceAll(" ", "")).toBe(digits);
    expect(toHex(shown.code)).toBe(scannableOfA);
    expect(confirmsSafetyNumber(safetyNumber(party(b), party(a)), fromHex(scannableOfA))).toBe(
      true,
    );
  }
});
