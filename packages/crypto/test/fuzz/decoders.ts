import { create } from "@bufbuild/protobuf";
import { KeyDistributionSchema, SealedFileSchema } from "@parley/protocol";
import { readBackupHeader } from "../../src/backup/backup-header.ts";
import { unframed } from "../../src/backup/record-frames.ts";
import { readAccountEntry, verifyAccountEntry } from "../../src/chain/verify-account-entry.ts";
import { readGroupEntry } from "../../src/chain/verify-group-entry.ts";
import { decodeDistribution, decodeSenderKeyMessage } from "../../src/group/sender-key-message.ts";
import {
  acceptDistribution,
  confirmsSafetyNumber,
  decodeOwnSenderKey,
  decodeSenderKeyRecord,
  decodeSessionRecord,
  decrypt,
  deriveRecoveredKeys,
  ed25519PublicKey,
  inlineChunkAead,
  liveKeyIdOf,
  openAttachment,
  openBackup,
  openDeviceName,
  openGroupDetail,
  openLinkStep,
  openLive,
  parseLinkCode,
  parsePrekeyMessage,
  parseRecoveryCode,
  safetyNumber,
  unpadContent,
} from "../../src/index.ts";
import { sha256 } from "../../src/primitives/hash.ts";
import { readCiphertext } from "../../src/ratchet/ciphertext.ts";
import { decodePrekeySignalMessage } from "../../src/ratchet/prekey-signal-message.ts";
import { decodeSignalMessage } from "../../src/ratchet/signal-message.ts";
import { decodeBraidMessage } from "../../src/spqr/braid-message.ts";
import { ByteReader } from "../../src/stream/byte-source.ts";
import { parseStreamHeader, StreamKind } from "../../src/stream/stream-header.ts";
import { collect } from "../fixtures/bytes.ts";
import { GROUP, GroupParty } from "../fixtures/group-party.ts";
import { Party, run } from "../fixtures/party.ts";
import { seededRandom } from "../fixtures/random.ts";

const random = seededRandom("fuzz");
export const NAME_KEY = { backupKey: random(32), accountId: random(16), deviceId: 1 };
export const LIVE_KEY = { id: random(4), key: random(32) };
export const ROUTE = { senderAccount: random(16), senderDevice: 1, recipient: random(16) };
export const DETAIL_KEY = { groupKey: random(32), groupId: GROUP, detail: "name" as const };
export const BACKUP_OWNER = { keys: deriveRecoveredKeys(random(20)), accountId: random(16) };
export const FILE_KEY = random(32);
export const FILE_BYTES = 5000;
export const FILE_HEADER_BYTES = 37;

const partyOf = (seed: string) => ({
  accountId: seededRandom(seed)(16),
  rootKey: run(ed25519PublicKey(seededRandom(seed)(32))),
});
export const LINK_KEY = seededRandom("fuzz link")(32);
export const SAFETY_NUMBER = safetyNumber(partyOf("fuzz one"), partyOf("fuzz other"));

/** Two who have talked: the reader's end, and the writer's for seeds. */
export const ALICE = new Party("fuzz alice");
export const BOB = new Party("fuzz bob");
ALICE.begin(BOB);
export const FIRST = ALICE.say(BOB, "first");
BOB.read(ALICE, FIRST);
ALICE.read(BOB, BOB.say(ALICE, "answer"));
const BOBS_RECORD = BOB.record(ALICE);
export const SENDER = new GroupParty("fuzz sender");

const openBackupWhole = async (bytes: Uint8Array) => {
  const options = { aead: inlineChunkAead, owner: BACKUP_OWNER, known: undefined };
  const { records } = await openBackup(options, [bytes]);
  for await (const _record of records);
};

/** The header's hash comes with the message: whoever sends a file says what header it has. */
const openFileWhole = async (bytes: Uint8Array) => {
  const file = create(SealedFileSchema, {
    key: FILE_KEY,
    sizeBytes: BigInt(FILE_BYTES),
    paddedBytes: BigInt(5120),
    chunkBytes: 65_536,
    headerHash: sha256(bytes.subarray(0, FILE_HEADER_BYTES)),
  });
  await collect(openAttachment({ aead: inlineChunkAead, kind: "file", file }, [bytes]));
};

export type Decoder = (bytes: Uint8Array) => unknown;

/** All that reads bytes of others', or bytes that a disk may have changed. */
export const DECODERS = {
  ciphertext: (bytes) => [readCiphertext(bytes), parsePrekeyMessage(bytes)],
  "Signal message": decodeSignalMessage,
  "prekey message": decodePrekeySignalMessage,
  "braid message": decodeBraidMessage,
  "message for a session": (bytes) => {
    const prekeys = BOB.prekeysFor(bytes);
    return run(decrypt(BOBS_RECORD, BOB.context(ALICE), { ciphertext: bytes, prekeys }));
  },
  "message without a session": (bytes) => {
    const prekeys = BOB.prekeysFor(bytes);
    return run(decrypt(undefined, BOB.context(ALICE), { ciphertext: bytes, prekeys }));
  },
  "sender key message": decodeSenderKeyMessage,
  "sender key distribution": (bytes) => [
    acceptDistribution(
      undefined,
      SENDER.device,
      create(KeyDistributionSchema, { ...SENDER.device, groupId: GROUP, distribution: bytes }),
    ),
    decodeDistribution(bytes),
  ],
  "session record": decodeSessionRecord,
  "sender key record": decodeSenderKeyRecord,
  "own sender key": decodeOwnSenderKey,
  "recovery code": (bytes) => parseRecoveryCode(new TextDecoder("utf-8").decode(bytes)),
  "safety number code": (bytes) => confirmsSafetyNumber(SAFETY_NUMBER, bytes),
  "link code": (bytes) => void parseLinkCode(new TextDecoder().decode(bytes)),
  "step of linking": (bytes) => openLinkStep(LINK_KEY, 1, bytes),
  "device name": (bytes) => openDeviceName(NAME_KEY, bytes),
  "live frame": (bytes) => [liveKeyIdOf(bytes), openLive(LIVE_KEY.key, ROUTE, bytes)],
  padding: unpadContent,
  "account entry": (bytes) => {
    const entry = { body: bytes, signature: new Uint8Array(64) };
    const ground = { accountId: NAME_KEY.accountId, before: undefined, known: undefined };
    return [readAccountEntry(bytes), run(verifyAccountEntry(ground, entry as never))];
  },
  "group entry": readGroupEntry,
  "group detail": (bytes) => openGroupDetail(DETAIL_KEY, bytes),
  "header of a file": (bytes) => parseStreamHeader(bytes, StreamKind.file),
  "header of a backup": (bytes) =>
    readBackupHeader(parseStreamHeader(bytes, StreamKind.backup), BACKUP_OWNER),
  file: openFileWhole,
  backup: openBackupWhole,
  "records of a backup": async (bytes) => {
    for await (const _record of unframed(new ByteReader([bytes])));
  },
} as const satisfies Record<string, Decoder>;

export type DecoderName = keyof typeof DECODERS;
