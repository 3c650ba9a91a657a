import { create } from "@bufbuild/protobuf";
import { CURVE_PRIVATE_BYTES, KYBER_SEED_BYTES } from "@parley/crypto";
import { type PrekeysHeld, toHex } from "@parley/protocol";
import {
  type PrekeyBookkeeping,
  type PrekeySecret,
  PrekeySecretSchema,
} from "../gen/parley/store/v1/device_pb.ts";
import type { Random } from "../ports/random.ts";
import type { Transaction } from "../store/transactor.ts";
import {
  type PrekeyKind,
  type PrekeyRow,
  putBookkeeping,
  putPrekey,
  readBookkeeping,
  readPrekey,
  readPrekeys,
} from "./prekey-rows.ts";

/** What the server is to be sent; the public halves follow from these. */
export interface PrekeyPlan {
  readonly signed: PrekeyRow | undefined;
  readonly lastResort: PrekeyRow | undefined;
  readonly oneTime: readonly PrekeyRow[];
  readonly dropOneTimeBelow: number;
}

/** One-time prekeys with the server: where there are fewer than `least`, it is filled up to `full`. */
export interface OneTimeStock {
  readonly full: number;
  readonly least: number;
}

/** A device that is away for a month is begun with by less than a hundred others. */
export const ONE_TIME_STOCK: OneTimeStock = { full: 100, least: 20 };

export interface PlanParts {
  readonly random: Random;
  readonly nowMs: number;
}
/** New signed and last-resort prekeys after this time (trust.md 6). */
const SIGNED_PREKEY_AGE_MS_MAX = 7 * 24 * 60 * 60 * 1000;
/** Ids begin at random below this, so that a device that lost its store does not use one again by chance. */
const FIRST_ID_MAX = 2 ** 22;
const ID_MAX = 2 ** 24 - 1;

/**
 * Compares what the server holds with what is here and writes down, before anything is sent, the keys that
 * are missing. A plan that was cut off is found again: keys that were stored and not uploaded come first.
 */
export async function planPrekeys(
  tx: Transaction,
  held: PrekeysHeld,
  { random, nowMs, stock }: PlanParts & { readonly stock: OneTimeStock },
): Promise<PrekeyPlan> {
  const book = await readBookkeeping(tx);
  liftIds(book, held, random);
  const put = (kind: PrekeyKind) => putNew(tx, book, { kind, random, nowMs });
  await rotate(tx, book, { put, nowMs });
  const rows = await readPrekeys(tx, "one-time");
  const dropOneTimeBelow = settleGiven(book, held, rows);
  const left = dropOneTimeBelow === 0 ? held.oneTimeCount : 0;
  const oneTime: PrekeyRow[] = [];
  if (left < stock.least) {
    const waiting = rows.filter(({ id }) => id > book.uploadedUpTo);
    oneTime.push(...waiting.slice(0, stock.full - left));
    while (left + oneTime.length < stock.full) oneTime.push(put("one-time"));
  }

  putBookkeeping(tx, book);
  const { signedPrekeyId, lastResortPrekeyId } = book;
  const changed = async (kind: PrekeyKind, id: number, heldId: number) =>
    id === heldId ? undefined : await readPrekey(tx, kind, id);
  return {
    signed: await changed("signed", signedPrekeyId, held.signedPrekeyId),
    lastResort: await changed("last-resort", lastResortPrekeyId, held.lastResortPrekeyId),
    oneTime,
    dropOneTimeBelow,
  };
}

export function isEmptyPlan({ signed, lastResort, oneTime, dropOneTimeBelow }: PrekeyPlan) {
  return (
    signed === undefined &&
    lastResort === undefined &&
    oneTime.length === 0 &&
    dropOneTimeBelow === 0
  );
}

/**
 * After a rollback of this device (trust.md 7): what is with the server may have been used already, and ids
 * may have been given to other keys since. What comes in under the old keys is still read.
 */
export async function abandonPrekeys(
  tx: Transaction,
  held: PrekeysHeld,
  { random, nowMs }: PlanParts,
): Promise<void> {
  const book = await readBookkeeping(tx);
  liftIds(book, held, random);
  await retire(tx, book, nowMs);
  book.nextId += 1 + (draw(random) % 2 ** 16);
  book.givenBelow = book.nextId;
  putBookkeeping(tx, book);
}

/** Ids that the server knows and this device does not were used by it in a life that it lost. */
function liftIds(book: PrekeyBookkeeping, held: PrekeysHeld, random: Random): void {
  if (book.nextId === 0) book.nextId = 1 + (draw(random) % FIRST_ID_MAX);
  const { signedPrekeyId, lastResortPrekeyId, highestOneTimeId } = held;
  book.nextId = Math.max(
    book.nextId,
    ...[signedPrekeyId, lastResortPrekeyId, highestOneTimeId].map((id) => id + 1),
  );
}

interface Rotation {
  readonly put: (kind: PrekeyKind) => PrekeyRow;
  readonly nowMs: number;
}

async function rotate(tx: Transaction, book: PrekeyBookkeeping, { put, nowMs }: Rotation) {
  const current = await readPrekey(tx, "signed", book.signedPrekeyId);
  if (current !== undefined && nowMs - Number(book.signedAtMs) < SIGNED_PREKEY_AGE_MS_MAX) return;
  await retire(tx, book, nowMs);
  book.signedPrekeyId = put("signed").id;
  book.lastResortPrekeyId = put("last-resort").id;
  book.signedAtMs = BigInt(nowMs);
}

async function retire(tx: Transaction, book: PrekeyBookkeeping, nowMs: number): Promise<void> {
  const kinds = { signed: book.signedPrekeyId, "last-resort": book.lastResortPrekeyId } as const;
  for (const [kind, id] of Object.entries(kinds) as [PrekeyKind, number][]) {
    const row = await readPrekey(tx, kind, id);
    if (row !== undefined)
      putPrekey(tx, kind, { id, secret: { ...row.secret, replacedAtMs: BigInt(nowMs) } });
  }
  book.signedPrekeyId = 0;
  book.lastResortPrekeyId = 0;
}

/**
 * One-time prekeys are given by rising id, so what lies below the lowest that the server holds went out. A
 * server that holds lower ones again, or lacks the highest, was restored: of those in between nobody knows
 * whether they went out. One that holds some that are not here has them from a life that this device lost.
 * In both cases all are dropped. Returns below which id; 0: none.
 */
function settleGiven(
  book: PrekeyBookkeeping,
  { oneTimeCount, lowestOneTimeId, highestOneTimeId }: PrekeysHeld,
  rows: readonly PrekeyRow[],
): number {
  const restored = lowestOneTimeId < book.givenBelow || highestOneTimeId < book.uploadedUpTo;
  book.uploadedUpTo = Math.max(book.uploadedUpTo, highestOneTimeId);
  const there = rows.filter(({ id }) => id >= lowestOneTimeId && id <= highestOneTimeId);
  const known =
    there.length >= oneTimeCount &&
    there[0]?.id === lowestOneTimeId &&
    there.at(-1)?.id === highestOneTimeId;
  const keep = oneTimeCount > 0 && known && !restored;
  book.givenBelow = keep ? lowestOneTimeId : book.uploadedUpTo + 1;
  return keep || oneTimeCount === 0 ? 0 : book.givenBelow;
}

interface NewPrekey extends PlanParts {
  readonly kind: PrekeyKind;
}

function putNew(
  tx: Transaction,
  book: PrekeyBookkeeping,
  { kind, random, nowMs }: NewPrekey,
): PrekeyRow {
  const id = book.nextId;
  if (id > ID_MAX) throw new Error("this device has used up its prekey ids");
  book.nextId += 1;
  const none = new Uint8Array(0);
  const secret: PrekeySecret = create(PrekeySecretSchema, {
    curvePrivate: kind === "last-resort" ? none : random(CURVE_PRIVATE_BYTES),
    kyberSeed: kind === "signed" ? none : random(KYBER_SEED_BYTES),
    madeAtMs: BigInt(nowMs),
  });
  putPrekey(tx, kind, { id, secret });
  return { id, secret };
}

function draw(random: Random): number {
  return Number.parseInt(toHex(random(4)), 16);
}
