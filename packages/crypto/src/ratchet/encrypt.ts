import type { SessionRecord } from "@parley/protocol";
import { CryptoError } from "../crypto-error.ts";
import type { Operation } from "../operation.ts";
import { addressesField, PARLEY_WIRE, type WireRules } from "./addresses.ts";
import { CiphertextKind, writeCiphertext } from "./ciphertext.ts";
import { ratchetSend, type SendingState } from "./double-ratchet.ts";
import { encodePrekeySignalMessage } from "./prekey-signal-message.ts";
import type { SessionContext } from "./session-api.ts";
import { sendingState } from "./session-record.ts";

export interface Encrypted {
  /** Replaces the record that was given: store it before the ciphertext leaves. */
  readonly record: SessionRecord;
  /** Its kind byte first. */
  readonly ciphertext: Uint8Array;
}

/** Until the other side has answered, every message is a prekey message. Throws `misuse` unless `canSend`. */
export function* encrypt(
  record: SessionRecord,
  context: SessionContext,
  plaintext: Uint8Array,
  rules: WireRules = PARLEY_WIRE,
): Operation<Encrypted> {
  const { local, remote, nowMs, random } = context;
  const current = sendingState(record, remote.identity, nowMs);
  if (current === undefined) throw new CryptoError("misuse", "no session that can send");
  const named = current.pendingPrekey !== undefined && rules.addressesInPrekeyMessages;
  const addresses = named ? addressesField(local, remote) : undefined;
  const { state, message } = yield* ratchetSend(current, { plaintext, addresses, random });
  return { record: { ...record, current: state }, ciphertext: ciphertextOf(state, message) };
}

function ciphertextOf(state: SendingState, message: Uint8Array): Uint8Array {
  const { pendingPrekey } = state;
  if (pendingPrekey === undefined) return writeCiphertext(CiphertextKind.MESSAGE, message);
  const { oneTimePrekeyId, signedPrekeyId, kyberPrekeyId, kyberCiphertext, baseKey } =
    pendingPrekey;
  const prekeyMessage = encodePrekeySignalMessage({
    // Ids begin at 1: 0 is a session without one.
    oneTimePrekeyId: oneTimePrekeyId === 0 ? undefined : oneTimePrekeyId,
    baseKey,
    identity: state.localIdentity,
    message,
    registrationId: state.localRegistrationId,
    signedPrekeyId,
    kyberPrekeyId,
    kyberCiphertext,
  });
  return writeCiphertext(CiphertextKind.PREKEY_MESSAGE, prekeyMessage);
}
