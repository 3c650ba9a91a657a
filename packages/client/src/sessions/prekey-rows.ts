import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { PrekeyNeeds, PrekeysForMessage } from "@parley/crypto";
import { copyOf } from "@parley/protocol";
import {
  LastResortUseSchema,
  type PrekeyBookkeeping,
  PrekeyBookkeepingSchema,
  type PrekeySecret,
  PrekeySecretSchema,
} from "../gen/parley/store/v1/device_pb.ts";
import type { Transaction } from "../store/transactor.ts";

export type PrekeyKind = "signed" | "last-resort" | "one-time";
const BOOKKEEPING = ["device-state", "prekeys"] as const;
const USE_PREFIX = "used/";
/** Ids have 24 bits. */
const ID_DIGITS = 6;

export interface PrekeyRow {
  readonly id: number;
  readonly secret: PrekeySecret;
}

export async function readBookkeeping(tx: Transaction): Promise<PrekeyBookkeeping> {
  const row = await tx.get(...BOOKKEEPING);
  return row === undefined
    ? create(PrekeyBookkeepingSchema)
    : fromBinary(PrekeyBookkeepingSchema, row);
}

export function putBookkeeping(tx: Transaction, bookkeeping: PrekeyBookkeeping): void {
  tx.put(...BOOKKEEPING, toBinary(PrekeyBookkeepingSchema, bookkeeping));
}

export async function readPrekey(
  tx: Transaction,
  kind: PrekeyKind,
  id: number | undefined,
): Promise<PrekeyRow | undefined> {
  if (id === undefined || id === 0) return undefined;
  const row = await tx.get("prekeys", keyOf(kind, id));
  return row === undefined ? undefined : { id, secret: decode(row) };
}

/** By rising id. */
export async function readPrekeys(tx: Transaction, kind: PrekeyKind): Promise<PrekeyRow[]> {
  const prefix = `${kind}/`;
  const rows = await tx.range("prekeys", { from: prefix, before: `${prefix}~` });
  return rows.map(({ key, value }) => ({
    id: Number.parseInt(key.slice(prefix.length), 16),
    secret: decode(value),
  }));
}

export function putPrekey(tx: Transaction, kind: PrekeyKind, { id, secret }: PrekeyRow): void {
  tx.put("prekeys", keyOf(kind, id), toBinary(PrekeySecretSchema, secret));
}

export function deletePrekey(tx: Transaction, kind: PrekeyKind, id: number): void {
  tx.delete("prekeys", keyOf(kind, id));
}

/** What is here of what a prekey message names. */
export async function prekeysFor(tx: Transaction, needs: PrekeyNeeds): Promise<PrekeysForMessage> {
  const signed = await readPrekey(tx, "signed", needs.signedPrekeyId);
  const oneTime = await readPrekey(tx, "one-time", needs.oneTimePrekeyId);
  const lastResort = await readPrekey(tx, "last-resort", needs.lastResortPrekeyId);
  return {
    signedPrekey: signed && { id: signed.id, privateKey: signed.secret.curvePrivate },
    oneTimePrekey: oneTime && { id: oneTime.id, ...oneTime.secret },
    lastResortPrekey: lastResort && { id: lastResort.id, kyberSeed: lastResort.secret.kyberSeed },
    lastResortUsed:
      needs.lastResortUse !== undefined &&
      (await tx.get("prekeys", USE_PREFIX + needs.lastResortUse)) !== undefined,
  };
}

export function rememberUse(tx: Transaction, use: string, nowMs: number): void {
  const record = create(LastResortUseSchema, { usedAtMs: BigInt(nowMs) });
  tx.put("prekeys", USE_PREFIX + use, toBinary(LastResortUseSchema, record));
}

export async function forgetUsesBefore(tx: Transaction, timeMs: number): Promise<void> {
  const rows = await tx.range("prekeys", { from: USE_PREFIX, before: `${USE_PREFIX}~` });
  for (const { key, value } of rows)
    if (fromBinary(LastResortUseSchema, value).usedAtMs < timeMs) tx.delete("prekeys", key);
}

function keyOf(kind: PrekeyKind, id: number): string {
  return `${kind}/${id.toString(16).padStart(ID_DIGITS, "0")}`;
}

/** Copied: the keys do not hang on the row. */
function decode(row: Uint8Array): PrekeySecret {
  return fromBinary(PrekeySecretSchema, copyOf(row));
}
