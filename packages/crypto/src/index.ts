export type { AttachmentKind } from "./attachments/attachment-cipher.ts";
export {
  type ByteRange,
  PADDED_BYTES_MIN,
  paddedFileBytes,
} from "./attachments/file-layout.ts";
export * from "./attachments/open-attachment.ts";
export * from "./attachments/seal-attachment.ts";
export { BACKUP_TYPES } from "./backup/backup-guard.ts";
export type { BackupKeys, BackupOwner } from "./backup/backup-header.ts";
export { type BackupPlace, checkBackupPlace, type FoundBackup } from "./backup/backup-place.ts";
export * from "./backup/open-backup.ts";
export * from "./backup/seal-backup.ts";
export * from "./chain/account-changes.ts";
export * from "./chain/account-state.ts";
export * from "./chain/account-tree.ts";
export * from "./chain/fork-proof.ts";
export * from "./chain/group-changes.ts";
export * from "./chain/group-details.ts";
export * from "./chain/group-state.ts";
export * from "./chain/group-tree.ts";
export * from "./chain/invite.ts";
export * from "./chain/sign-account-entry.ts";
export * from "./chain/sign-group-entry.ts";
export * from "./chain/verify-account-chain.ts";
export {
  type AccountStep,
  type ChainRefusal,
  readAccountEntry,
} from "./chain/verify-account-entry.ts";
export {
  type DevicesAt,
  type GroupRefusal,
  readGroupEntry,
} from "./chain/verify-group-entry.ts";
export * from "./commit/group-steps.ts";
export * from "./commit/kept.ts";
export * from "./commit/session-steps.ts";
export { Staged } from "./commit/staged.ts";
export * from "./crypto-error.ts";
export * from "./group/accept-distribution.ts";
export * from "./group/decrypt-from-group.ts";
export { type EncryptedToGroup, encryptToGroup } from "./group/encrypt-to-group.ts";
export * from "./group/holders.ts";
export {
  decodeOwnSenderKey,
  distributionOf,
  encodeOwnSenderKey,
  makeSenderKey,
  type NewSenderKey,
  prepareToSend,
  type ReadySenderKey,
  type SendPreparation,
} from "./group/own-sender-key.ts";
export * from "./group/rotation.ts";
export { distributionIdOf, SENDER_KEY_MESSAGE_KIND } from "./group/sender-key-message.ts";
export { type BundleRefusal, beginSession, type SessionBegun } from "./handshake/begin-session.ts";
export * from "./handshake/prekeys.ts";
export * from "./identity/account.ts";
export * from "./identity/device-keys.ts";
export * from "./identity/device-name.ts";
export * from "./identity/recovery-code.ts";
export * from "./identity/safety-number.ts";
export * from "./labels.ts";
export * from "./linking/link-code.ts";
export * from "./linking/link-steps.ts";
export * from "./live.ts";
export * from "./operation.ts";
export * from "./padding.ts";
export * from "./presence-token.ts";
export * from "./primitives/cipher.ts";
export * from "./primitives/hash.ts";
export { CiphertextKind, type PrekeyNeeds, parsePrekeyMessage } from "./ratchet/ciphertext.ts";
export { decrypt, type Incoming } from "./ratchet/decrypt.ts";
export { type Encrypted, encrypt } from "./ratchet/encrypt.ts";
export * from "./ratchet/session-api.ts";
export {
  archiveForReset,
  canSend,
  decodeSessionRecord,
  encodeSessionRecord,
} from "./ratchet/session-record.ts";
export * from "./stores.ts";
export { ByteReader, type ByteSource } from "./stream/byte-source.ts";
export * from "./stream/chunk-aead.ts";
