import { toHex } from "../../../packages/protocol/src/ids.ts";
import { table } from "../table.ts";
import {
  accountVectors,
  liveVectors,
  loginVectors,
  presenceVectors,
  safetyNumberVectors,
} from "./account-vectors.ts";
import { paddingVectors } from "./content-vectors.ts";
import { person } from "./fixed.ts";
import { pqRatchetVectors } from "./pq-ratchet-vectors.ts";
import { sessionVectors } from "./session-vectors.ts";

/** docs/protocol-vectors.json: every step of the protocol from fixed keys, bytes as hex. */
export function protocolVectors(): string {
  return `${JSON.stringify(vectors(), asHex, 2)}\n`;
}

/** Those that fit into a line. */
export function shortVectors(): string {
  const { alice, bob, login, session, pqRatchet, safetyNumber } = vectors();
  const { handshake } = session;
  const rows: readonly (readonly [what: string, value: Uint8Array | string])[] = [
    ["Alice's recovery secret", alice.recoverySecret],
    ["Alice's recovery code", alice.recoveryCode],
    ["Alice's root key", alice.rootKey],
    ["Alice's account id", alice.accountId],
    ["Alice's device seed", alice.device.seed],
    ["Alice's device key", alice.device.deviceKey],
    ["Alice's identity on libsignal's wire", alice.device.identity],
    ["hash of her first entry", alice.firstEntry.hash],
    ["login: challenge", login.challenge],
    [`login: signature for ${login.origin}, device 1`, login.signature],
    ["Bob's account id", bob.accountId],
    ["Bob's signed prekey", session.signedPrekey.publicKey],
    ["its signature", session.signedPrekey.signature],
    ["Kyber shared secret", handshake.sharedSecret],
    ["root key of the handshake", handshake.rootKey],
    ["root key after Alice's first turn", handshake.rootKeyAfterTurn],
    ["key of the post-quantum ratchet (PQ)", handshake.pqRatchetKey],
    ["seed of her first message", handshake.firstMessage.seed],
    ["salt of its message keys", handshake.firstMessage.pqKey],
    ["MAC key of her first message", handshake.firstMessage.macKey],
    ["another session: PQ", pqRatchet.key],
    ["its shared secret of ML-KEM in epoch 1", pqRatchet.sharedSecret],
    ["its secret of epoch 1", pqRatchet.secret],
    ["safety number of the two", safetyNumber.digits],
    ["its code, as Alice shows it", safetyNumber.codeOfAlice],
  ];
  return table(
    ["what", "value"],
    rows.map(([what, value]) => [
      what,
      `\`${typeof value === "string" ? value : toHex(value)}\``,
    ]),
  );
}

function vectors() {
  const [alice, bob] = [person("alice", 4711), person("bob", 815)];
  return {
    alice: accountVectors(alice),
    bob: accountVectors(bob),
    login: loginVectors(alice),
    session: sessionVectors(alice, bob),
    pqRatchet: pqRatchetVectors(),
    padding: paddingVectors(),
    live: liveVectors(alice, bob),
    presence: presenceVectors(),
    safetyNumber: safetyNumberVectors(alice, bob),
  };
}

/** Fields of generated messages that are not of the protocol are left out. */
function asHex(key: string, value: unknown): unknown {
  if (key === "$typeName" || key === "$unknown") return undefined;
  if (value instanceof Uint8Array) return toHex(value);
  return typeof value === "bigint" ? String(value) : value;
}
