import type { SessionRecord } from "@parley/protocol";
import type {
  LastResortPrekeySecret,
  OneTimePrekeySecret,
  SignedPrekeySecret,
} from "../handshake/prekeys.ts";
import type { DeviceKeys } from "../identity/device-keys.ts";

/** Random bytes fit for keys. */
export type RandomBytes = (byteCount: number) => Uint8Array;

export interface LocalDevice {
  readonly accountId: Uint8Array;
  readonly deviceId: number;
  readonly registrationId: number;
  readonly keys: DeviceKeys;
}

export interface RemoteDevice {
  readonly accountId: Uint8Array;
  readonly deviceId: number;
  /** 33 bytes, from the device's entry in its account chain (`identityOf`): sessions are held against it. */
  readonly identity: Uint8Array;
}

export interface SessionContext {
  readonly local: LocalDevice;
  readonly remote: RemoteDevice;
  readonly nowMs: number;
  readonly random: RandomBytes;
}

/** The private halves that a prekey message asks for: those that are there. */
export interface PrekeysForMessage {
  readonly signedPrekey: SignedPrekeySecret | undefined;
  readonly oneTimePrekey: OneTimePrekeySecret | undefined;
  readonly lastResortPrekey: LastResortPrekeySecret | undefined;
  /** The message's `lastResortUse` was remembered: it comes again. */
  readonly lastResortUsed: boolean;
}

/** What a handshake used up: to be written in the transaction that writes the session. */
export interface HandshakeUse {
  /** Delete this one-time prekey. */
  readonly oneTimePrekeyId: number | undefined;
  /** Remember this (hex): the same handshake on the last-resort prekey is refused when it comes again. */
  readonly lastResortUse: string | undefined;
}

export type DecryptOutcome =
  | {
      readonly kind: "plaintext";
      readonly plaintext: Uint8Array;
      /** Replaces the record that was given. */
      readonly record: SessionRecord;
      /** Where the message began the session. */
      readonly handshake: HandshakeUse | undefined;
    }
  /** Its message key is used up: acknowledge, ask nothing. */
  | { readonly kind: "repeat" }
  /** Nothing changes. */
  | { readonly kind: "undecryptable"; readonly cause: UndecryptableCause };

export type UndecryptableCause =
  /** Not a message of this format. */
  | "malformed"
  /** A first byte that is not known here. */
  | "unknown-kind"
  /** No session of the record reads it: MAC or ratchet key fit none. */
  | "not-authentic"
  /** An ordinary message, and there is no session at all. */
  | "no-session"
  /** It begins a session with a prekey that is gone or was never ours. */
  | "unknown-prekey"
  /** A second session from one use of the last-resort prekey. */
  | "replayed-handshake"
  /** The identity is not the one in the account chain. */
  | "identity-mismatch"
  /** Made for another device, or by another one than the envelope says. */
  | "address-mismatch"
  /** The counter jumps further than is followed. */
  | "too-far-ahead"
  /** From this device itself. */
  | "own-session";
