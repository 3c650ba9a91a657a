import fs from "node:fs";
import path from "node:path";
import { LABELS } from "../../packages/crypto/src/labels.ts";
import { ROOT } from "../run.ts";
import { table } from "./table.ts";

const CLOSE_CODES = path.join(ROOT, "packages/protocol/src/close-codes.ts");

/** The table in the code, with the comment above each code. */
export function closeCodes(): string {
  const source = fs.readFileSync(CLOSE_CODES, "utf8");
  const rows = [...source.matchAll(/\/\*\* ([^*]+) \*\/\s+([A-Z_]+): (\d+),/g)].map(
    ([, meaning = "", name = "", code = ""]) => [code, `\`${name}\``, meaning],
  );
  if (rows.length === 0) throw new Error(`no close codes found in ${CLOSE_CODES}`);
  return table(["code", "name", "meaning"], rows);
}

const USES: Readonly<Record<keyof typeof LABELS, string>> = {
  recoveryCode: "hash: checksum of a recovery code ([4.4](#44-the-recovery-code))",
  recoverySalt: "HKDF salt: what a recovery code yields ([4.4](#44-the-recovery-code))",
  rootKey: "HKDF info: seed of the root key ([4.4](#44-the-recovery-code))",
  backupKey: "HKDF info: backup key ([4.4](#44-the-recovery-code))",
  backupId: "HKDF info: backup id ([4.4](#44-the-recovery-code))",
  backupStream: "HKDF info: key and nonces of a backup ([13.3](#133-backups))",
  attachment: "HKDF info: key and nonces of a file ([13.2](#132-files))",
  thumbnail: "HKDF info: key and nonces of a file's small picture ([13.2](#132-files))",
  accountId: "hash: account id ([4.1](#41-keys))",
  accountEntry: "signature: entry of an account's chain ([4.2](#42-the-accounts-chain))",
  accountState: "hash: state after an entry ([4.2](#42-the-accounts-chain))",
  deviceConsent: "signature: a device's consent ([4.2](#42-the-accounts-chain))",
  deviceName: "HKDF info: key of sealed device names ([4.2](#42-the-accounts-chain))",
  login: "signature: login ([3.2](#32-the-login))",
  linkDigits: "hash: six digits of linking ([4.5](#45-adding-and-removing-devices))",
  recoveryLogin: "signature by the root: recovery ([4.6](#46-recovery))",
  linkKeys: "HKDF: the two keys of a linking",
  live: "AAD: live frame to an account ([9.2](#92-live-frames))",
  groupLive: "reserved: live frame to a group",
  groupEntry: "signature: change of a group ([12.2](#122-the-groups-chain))",
  groupState: "hash: state after a change of a group ([12.2](#122-the-groups-chain))",
  groupDetails: "AAD: name, picture and description of a group ([12.2](#122-the-groups-chain))",
  groupJoin:
    "signature: a join, or a request to join, by an invite's key ([12.2](#122-the-groups-chain))",
  groupRequest: "signature: request to join, by a device ([12.2](#122-the-groups-chain))",
  inviteId: "HKDF info: id of an invite ([12.2](#122-the-groups-chain))",
  inviteSigningKey: "HKDF info: seed of an invite's key ([12.2](#122-the-groups-chain))",
  inviteWrapKey: "HKDF info: key for what lies beside an invite ([12.2](#122-the-groups-chain))",
  inviteContents: "AAD: what lies beside an invite ([12.2](#122-the-groups-chain))",
  presenceToken: "HKDF info: presence token ([9.1](#91-presence))",
};

export function labels(): string {
  const names = Object.keys(LABELS) as (keyof typeof LABELS)[];
  return table(
    ["label", "of what"],
    names.map((name) => [`\`${LABELS[name]}\``, USES[name]]),
  );
}
