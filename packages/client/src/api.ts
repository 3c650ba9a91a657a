/** What the Messenger shows to programs: the web app, the command line, bots. Ids are lower-case hex. */

import type { SafetyNumber } from "@parley/crypto";

export type MessageStatus =
  | "queued" // saved on this device
  | "sent" // the server has it durably
  | "delivered" // the recipient's device has it durably
  | "read" // shown to the recipient
  | "failed"; // definitely refused; `failure` says why

export interface ShownMessage {
  readonly messageId: string;
  /** The other account of the private chat. */
  readonly conversation: string;
  readonly from: {
    readonly accountId: string;
    readonly handle: string | undefined;
    readonly mine: boolean;
  };
  readonly content:
    | { readonly kind: "text"; readonly text: string; readonly replyTo: string | undefined }
    /** Of a kind that this client does not know: kept, shown as "update to see this". */
    | { readonly kind: "unknown" };
  readonly sentAtMs: number;
  /** Of own messages; undefined for those of others. */
  readonly status: MessageStatus | undefined;
  readonly failure: string | undefined;
  /** From somebody who is not an accepted contact. */
  readonly request: boolean;
  readonly read: boolean;
}

/** Entries that are known to exist and are not here, as a line in the conversation. */
export interface ShownHole {
  readonly conversation: string;
  readonly from: string;
  readonly count: number;
}

export interface ShownContact {
  readonly accountId: string;
  readonly handle: string | undefined;
  readonly localName: string | undefined;
  readonly state: "request" | "accepted" | "blocked";
  readonly trust: "unverified" | "from-link" | "verified";
  readonly unread: number;
}

/** What a contact is doing, or has ceased to do. */
export type TypingState = "typing" | "recording" | "stopped";

/** Who may see whether this person is there: everyone who was ever given the profile key, contacts, nobody. */
export type Visibility = "everyone" | "contacts" | "nobody";

/** Whoever hides does not see, and whoever does not tell when he was last there is not told it of others. */
export interface PresenceSettings {
  readonly visible: Visibility;
  readonly lastSeen: boolean;
}

export type ConnectionState =
  | { readonly kind: "offline"; readonly retryAtMs: number | undefined }
  | { readonly kind: "connecting" }
  /** Logged in; mail that waited is still coming. */
  | { readonly kind: "catching-up" }
  | { readonly kind: "online" }
  /** Will not reconnect by itself. */
  | {
      readonly kind: "ended";
      readonly reason: "replaced" | "login-refused" | "version-not-supported" | "device-removed";
    };

export type MessengerEvent =
  | { readonly type: "message"; readonly message: ShownMessage }
  | {
      readonly type: "status";
      readonly messageId: string;
      readonly conversation: string;
      readonly status: MessageStatus;
    }
  | {
      readonly type: "hole" | "filled";
      readonly conversation: string;
      readonly from: string;
      readonly count: number;
    }
  | { readonly type: "alarm"; readonly kind: AlarmKind; readonly about: string }
  | { readonly type: "contact"; readonly contact: ShownContact }
  /** Of an accepted contact; "stopped" comes by itself when nothing more is heard. */
  | {
      readonly type: "typing";
      readonly conversation: string;
      readonly from: string;
      readonly handle: string | undefined;
      readonly state: TypingState;
    }
  /** Of somebody who is watched. Not online, and undefined: nothing is known, or he shares no more. */
  | {
      readonly type: "presence";
      readonly accountId: string;
      readonly handle: string | undefined;
      readonly online: boolean;
      /** To the minute, milliseconds since 1970. */
      readonly lastSeenMs: number | undefined;
    }
  | { readonly type: "connection"; readonly state: ConnectionState };

export type AlarmKind =
  /** A handle names another account than before. */
  | "handle-moved"
  /** The server's list of an account contradicts what we hold. */
  | "false-list"
  /** The same counter of a chain with another hash: a cloned or rolled-back device. */
  | "chain-forked"
  /** This device's own data was rolled back. */
  | "rolled-back"
  /** This device's data is in use twice. */
  | "in-use-twice";

/** A refusal that the user can read and act on. */
export type RefusalCode =
  | "invalid-handle"
  | "handle-not-available"
  | "sign-up-refused"
  | "invitation-refused"
  | "unknown-handle"
  | "device-name-too-long"
  | "already-signed-up"
  | "not-signed-up"
  | "text-too-long"
  | "empty-text"
  | "blocked"
  | "unreachable"
  | "try-again-later"
  | "not-allowed"
  | "invalid-recovery-code"
  | "invalid-link-code"
  | "link-expired"
  | "digits-differ"
  | "too-many-devices"
  | "unknown-account";

export class MessengerError extends Error {
  override readonly name = "MessengerError";
  readonly code: RefusalCode;
  /** Of `try-again-later`: when, where the server says it. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: RefusalCode,
    message: string,
    options: ErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A device of one's own account. */
export interface ShownDevice {
  readonly deviceId: number;
  /** Undefined: it has none, or this device has not been given the key to it yet. */
  readonly name: string | undefined;
  /** When this device first saw it in the list, milliseconds since 1970: lists themselves have no clock. */
  readonly linkedAtMs: number;
  readonly thisDevice: boolean;
}

/** A linking that is under way. Both sides show the same six digits, unless somebody stands between. */
export interface Linking<Linked> {
  /** Rejects `link-expired` where the other side does not come within 60 s. */
  digits(): Promise<string>;
  /**
   * The digits that the other side shows, as its person reads them out. Rejects `digits-differ`, and then nothing
   * has been linked, and `link-expired` where the other side does not confirm within 60 s.
   */
  confirm(digitsOfTheOther: string): Promise<Linked>;
}

export interface OfferedDevice
  extends Linking<{
    readonly accountId: string;
    readonly handle: string;
    readonly deviceId: number;
  }> {
  /** 52 characters in groups of 4, for a device of the account; good for 60 s, and once. */
  readonly code: string;
}

export interface RecoverOptions {
  /** As it was shown at sign-up, typed by hand. */
  readonly code: string;
  /** Else every other device is removed from the account. */
  readonly keepDevices?: boolean;
  readonly deviceName?: string;
}

/** `unreadable`: it is no code of a safety number, or one of a newer version. */
export type ScannedSafetyNumber = "confirmed" | "different" | "unreadable";

/** The facade `Messenger` in messenger.ts implements this; programs and tests build on nothing else. */
export interface MessengerApi {
  /** The device's account; undefined before sign-up. */
  readonly account:
    | { readonly accountId: string; readonly handle: string; readonly deviceId: number }
    | undefined;
  readonly connectionState: ConnectionState;

  /**
   * Repeats safely: a sign-up that was cut off is taken up again with the same keys and device name. The name
   * has at most 64 bytes, and only own devices read it.
   */
  signUp(options: { handle: string; invitation?: string; deviceName?: string }): Promise<{
    accountId: string;
    handle: string;
    recoveryCode: string;
  }>;
  /** Connects and stays connected until `close`. */
  start(): void;
  /** Resolves once connected and drained; rejects with MessengerError where the connection has ended. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;

  /** Resolves once it is saved on this device; from then on it is not lost. */
  sendText(
    conversation: string,
    text: string,
    options?: { replyTo?: string },
  ): Promise<{ messageId: string }>;
  /** Resolves once the message has reached that status or a later one; rejects where it failed. */
  reached(messageId: string, status: "sent" | "delivered" | "read"): Promise<MessageStatus>;
  /** In the order of the screen, newest last. */
  history(
    conversation: string,
    options?: { limit?: number; before?: string },
  ): Promise<readonly ShownMessage[]>;
  holes(conversation: string): Promise<readonly ShownHole[]>;
  /** What is unread, oldest first, of all conversations. */
  unread(): Promise<readonly ShownMessage[]>;
  /** The person has seen these messages. */
  markRead(messageIds: readonly string[]): Promise<void>;

  /** Of one's own account, this one among them. */
  devices(): Promise<readonly ShownDevice[]>;
  /** Another one: it is shut out at once. Rejects `not-allowed` where the server's rules say no. */
  removeDevice(deviceId: number): Promise<void>;
  /** On a device that has no account: becomes a further one of an account. */
  offerDevice(options?: { readonly deviceName?: string }): Promise<OfferedDevice>;
  /**
   * On a device that has no account: the account comes back by its recovery code, with the same safety number.
   * Rejects `invalid-recovery-code`, `unknown-account` where the server has none of that code.
   */
  recover(options: RecoverOptions): Promise<{
    accountId: string;
    handle: string;
    deviceId: number;
  }>;
  /** On a device of the account, connected: takes in the one that shows `code`. */
  linkDevice(code: string): Promise<Linking<{ readonly deviceId: number }>>;

  contacts(): Promise<readonly ShownContact[]>;
  /** Handle -> account, asked of the server the first time and pinned. Rejects `unknown-handle`. */
  resolveHandle(handle: string): Promise<{ accountId: string; handle: string }>;
  acceptContact(accountId: string): Promise<void>;
  blockContact(accountId: string): Promise<void>;
  nameContact(accountId: string, localName: string): Promise<void>;
  /** 60 digits in groups of five, and the bytes of a QR code (libsignal's fingerprint, trust.md 2). */
  safetyNumber(accountId: string): Promise<SafetyNumber>;
  /** What the code on the other's screen says. Where it confirms the number, the contact may be marked as verified. */
  scanSafetyNumber(accountId: string, scanned: Uint8Array): Promise<ScannedSafetyNumber>;
  markVerified(accountId: string, verified: boolean): Promise<void>;

  /**
   * What the person is doing, as often as it is noticed: it is told to an accepted contact who is connected, at
   * most once in 3 seconds, and forgotten there after 8. Sending a message ends it.
   */
  typing(conversation: string, state: TypingState): void;
  presenceSettings(): Promise<PresenceSettings>;
  /** Resolves once it is saved, and the server has been told where there is a connection. */
  setPresence(settings: PresenceSettings): Promise<void>;
  /** The person is at this device, until told otherwise or closed. At first nobody is: a bot never is. */
  setActive(isActive: boolean): void;
  /**
   * From now on these accounts, at most 64, are watched, over reconnects too: `presence` events tell of them.
   * Somebody whose keys are not known here yet is watched as soon as they are.
   */
  watchPresence(accountIds: readonly string[]): Promise<void>;

  /** The recovery code until the person confirmed having saved it. */
  pendingRecoveryCode(): Promise<string | undefined>;
  confirmRecoveryCode(): Promise<void>;

  on(listener: (event: MessengerEvent) => void): () => void;
}
