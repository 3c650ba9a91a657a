import { concatBytes } from "@parley/protocol";
import { lastResortUseOf } from "../handshake/accept-session.ts";
import { decodePrekeySignalMessage, type PrekeySignalMessage } from "./prekey-signal-message.ts";
import { decodeSignalMessage, type ReadSignalMessage } from "./signal-message.ts";

/**
 * The first byte of an envelope's ciphertext, for devices only (delivery.md 1). 0x12 and 0x13 were the ratchet
 * without its post-quantum half: they are not read any more.
 */
export const CiphertextKind = {
  MESSAGE: 0x02,
  PREKEY_MESSAGE: 0x03,
} as const;

export type ReadCiphertext =
  | { readonly kind: "message"; readonly message: ReadSignalMessage }
  | {
      readonly kind: "prekey-message";
      readonly prekeyMessage: PrekeySignalMessage;
      readonly message: ReadSignalMessage;
    }
  | { readonly kind: "malformed" }
  /** Another kind than these, such as one of a newer version. */
  | { readonly kind: "unknown-kind" };

export function readCiphertext(ciphertext: Uint8Array): ReadCiphertext {
  const body = ciphertext.subarray(1);
  try {
    switch (ciphertext[0]) {
      case CiphertextKind.MESSAGE:
        return { kind: "message", message: decodeSignalMessage(body) };
      case CiphertextKind.PREKEY_MESSAGE: {
        const prekeyMessage = decodePrekeySignalMessage(body);
        const message = decodeSignalMessage(prekeyMessage.message);
        return { kind: "prekey-message", prekeyMessage, message };
      }
      default:
        return { kind: "unknown-kind" };
    }
  } catch {
    return { kind: "malformed" };
  }
}

export function writeCiphertext(kind: number, body: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(kind), body);
}

/** What a prekey message needs, should it begin a session. */
export interface PrekeyNeeds {
  readonly signedPrekeyId: number;
  /** One of these two. */
  readonly oneTimePrekeyId: number | undefined;
  readonly lastResortPrekeyId: number | undefined;
  /** With a last-resort prekey: look whether it was remembered (`HandshakeUse.lastResortUse`). */
  readonly lastResortUse: string | undefined;
}

/** Undefined for everything but a well-formed prekey message. */
export function parsePrekeyMessage(ciphertext: Uint8Array): PrekeyNeeds | undefined {
  const read = readCiphertext(ciphertext);
  if (read.kind !== "prekey-message") return undefined;
  const { signedPrekeyId, oneTimePrekeyId, kyberPrekeyId } = read.prekeyMessage;
  return {
    signedPrekeyId,
    oneTimePrekeyId,
    lastResortPrekeyId: oneTimePrekeyId === undefined ? kyberPrekeyId : undefined,
    lastResortUse: lastResortUseOf(read.prekeyMessage),
  };
}
