/**
 * `node write-corpus.ts`: adds genuine bytes of each format to corpus.json and keeps what is there: formats may
 * change, and what once broke a decoder stays.
 */
import fs from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import { AccountHeadSchema, BackupRecordSchema, fromHex, toHex } from "@parley/protocol";
import { framed } from "../../src/backup/record-frames.ts";
import {
  beginAttachment,
  beginBackup,
  encodeOwnSenderKey,
  encodeSenderKeyRecord,
  formatLinkCode,
  formatRecoveryCode,
  inlineChunkAead,
  linkCodeFor,
  padContent,
  sealDeviceName,
  sealGroupDetail,
  sealLinkStep,
  sealLive,
} from "../../src/index.ts";
import { decodePrekeySignalMessage } from "../../src/ratchet/prekey-signal-message.ts";
import { decodeSignalMessage } from "../../src/ratchet/signal-message.ts";
import { collect } from "../fixtures/bytes.ts";
import { ChainPerson } from "../fixtures/chain-person.ts";
import { founded, phoneOf } from "../fixtures/group-chain.ts";
import { GroupParty } from "../fixtures/group-party.ts";
import { seededRandom } from "../fixtures/random.ts";
import {
  ALICE,
  BACKUP_OWNER,
  BOB,
  DETAIL_KEY,
  type DecoderName,
  FILE_BYTES,
  FILE_HEADER_BYTES,
  FIRST,
  LINK_KEY,
  LIVE_KEY,
  NAME_KEY,
  ROUTE,
  SAFETY_NUMBER,
  SENDER,
} from "./decoders.ts";

const FILE = new URL("corpus.json", import.meta.url);
const random = seededRandom("corpus");
const OFFERED = { ephemeralKey: random(32), identityKey: random(32) };

const ordinary = [0, 1, 2].map((n) => ALICE.say(BOB, "text ".repeat(n * 9)));
const messages = ordinary.map((bytes) => bytes.subarray(1));
const inside = decodePrekeySignalMessage(FIRST.subarray(1)).message;
const reader = new GroupParty("fuzz reader");
const groupMessage = SENDER.say("to all", [reader]);
const [readerRecord] = reader.records.values();
const person = new ChainPerson("fuzz");
const group = founded(phoneOf(person));

async function fileBytes(): Promise<Uint8Array> {
  const aead = inlineChunkAead;
  const drawn = seededRandom("file");
  const sealing = await beginAttachment({
    aead,
    random: drawn,
    kind: "file",
    sizeBytes: FILE_BYTES,
  });
  return await collect(sealing.seal([new Uint8Array(FILE_BYTES)]));
}

const backupRecord = create(BackupRecordSchema, {
  record: { case: "settings", value: { lastSeen: true } },
} as never);

async function backupBytes(): Promise<Uint8Array> {
  const ownHead = create(AccountHeadSchema, { era: 1, version: 1, hash: random(16) });
  const { seal } = await beginBackup({
    aead: inlineChunkAead,
    random,
    owner: BACKUP_OWNER,
    ownHead,
    previous: undefined,
    neverInside: [],
  });
  return await collect(seal([backupRecord]));
}

const file = await fileBytes();
const backup = await backupBytes();
const extra = ((backup[35] as number) << 8) | (backup[36] as number);
const made: Record<DecoderName, readonly Uint8Array[]> = {
  ciphertext: [FIRST, ...ordinary],
  "Signal message": [inside, ...messages],
  "prekey message": [FIRST.subarray(1)],
  "braid message": [inside, ...messages].map(
    (bytes) => decodeSignalMessage(bytes).pqRatchet as Uint8Array,
  ),
  "message for a session": [FIRST, ...ordinary],
  "message without a session": [FIRST, ALICE.say(BOB, "without")],
  "sender key message": [groupMessage],
  "sender key distribution": [SENDER.distribution().distribution],
  "session record": [BOB, ALICE].map((party) => [...party.records.values()][0] as Uint8Array),
  "sender key record": [
    readerRecord as Uint8Array,
    encodeSenderKeyRecord(reader.record(SENDER.key.groupId, SENDER.key.distributionId) as never),
  ],
  "own sender key": [encodeOwnSenderKey(SENDER.key)],
  "recovery code": [new TextEncoder().encode(formatRecoveryCode(random(20)))],
  "link code": [new TextEncoder().encode(formatLinkCode(linkCodeFor(random(16), OFFERED)))],
  "step of linking": [sealLinkStep(LINK_KEY, 1, { plaintext: random(60), nonce: random(12) })],
  "safety number code": [SAFETY_NUMBER.code],
  "device name": [sealDeviceName(NAME_KEY, "kitchen tablet", random(12))],
  "live frame": [sealLive(LIVE_KEY, ROUTE, random(9), random(12))],
  padding: [padContent(random(40)), padContent(random(300))],
  "account entry": person.signed.map(({ body }) => body),
  "group entry": [group.entry.body],
  "group detail": [sealGroupDetail(DETAIL_KEY, random(10), random(12))],
  "header of a file": [file.subarray(0, FILE_HEADER_BYTES)],
  "header of a backup": [backup.subarray(0, FILE_HEADER_BYTES + extra)],
  file: [file],
  backup: [backup],
  "records of a backup": [await collect(framed([toBinary(BackupRecordSchema, backupRecord)]))],
};

const kept: Record<string, string[]> = fs.existsSync(FILE)
  ? JSON.parse(fs.readFileSync(FILE, "utf8"))
  : {};
for (const [name, seeds] of Object.entries(made)) {
  const all = new Set([...(kept[name] ?? []), ...seeds.map(toHex)]);
  kept[name] = [...all].filter((hex) => fromHex(hex).length > 0);
}
fs.writeFileSync(FILE, `${JSON.stringify(kept, undefined, 1)}\n`);
