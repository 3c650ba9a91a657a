import { concatBytes } from "@parley/protocol";
import { ascii } from "./primitives/text.ts";

/**
 * What keeps one use of a key or a hash apart from every other (trust.md, head). All begin with `Parley `,
 * none is a prefix of another (a test holds it), and libsignal's own signed bodies begin with 0x05 or 0x08.
 */
export const LABELS = {
  recoveryCode: "Parley recovery code v1",
  recoverySalt: "Parley recovery v1",
  rootKey: "Parley root key v1",
  backupKey: "Parley backup key v1",
  backupId: "Parley backup id v1",
  backupStream: "Parley backup stream v1",
  attachment: "Parley attachment v1",
  thumbnail: "Parley thumbnail v1",
  accountId: "Parley account id v1",
  accountEntry: "Parley account entry v1",
  accountState: "Parley account state v1",
  deviceConsent: "Parley device consent v1",
  deviceName: "Parley device name v1",
  login: "Parley login v1",
  recoveryLogin: "Parley recovery login v1",
  linkDigits: "Parley link digits v1",
  linkKeys: "Parley link keys v1",
  live: "Parley live v1",
  groupLive: "Parley group live v1",
  groupEntry: "Parley group entry v1",
  groupState: "Parley group state v1",
  groupDetails: "Parley group details v1",
  groupJoin: "Parley group join v1",
  groupRequest: "Parley group request v1",
  inviteId: "Parley invite id v1",
  inviteSigningKey: "Parley invite signing key v1",
  inviteWrapKey: "Parley invite wrap key v1",
  inviteContents: "Parley invite contents v1",
  presenceToken: "Parley presence token v1",
} as const;

export type Label = (typeof LABELS)[keyof typeof LABELS];

/** `label || 0x00 || body`: what is signed or hashed. */
export function labelled(label: Label, ...body: readonly Uint8Array[]): Uint8Array {
  return concatBytes(ascii(label), SEPARATOR, ...body);
}

const SEPARATOR = Uint8Array.of(0);
