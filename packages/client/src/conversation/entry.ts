import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { sha256 } from "@parley/crypto";
import {
  type Entry,
  type EntryBody,
  EntryBodySchema,
  type EntryHead,
  EntryHeadSchema,
  equalBytes,
  validate,
} from "@parley/protocol";

/** Of SHA-256, in heads (trust.md 1). */
const HASH_BYTES = 16;
/** Of an entry's hash, in `seen` (delivery.md 2). */
export const SEEN_HASH_BYTES = 8;

/** Head and body of an entry (delivery.md 2), checked as far as it can be without the entries beside it. */
export interface OpenedEntry {
  readonly head: EntryHead;
  readonly hash: Uint8Array;
  /** The exact bytes. */
  readonly headBytes: Uint8Array;
  readonly bodyBytes: Uint8Array;
  readonly body: EntryBody;
}

/** What is no entry. Its sender's client is broken or lies; there is nothing to show. */
export class InvalidEntryError extends Error {
  override readonly name = "InvalidEntryError";
}

/** The hash of an entry: SHA-256 of its head's bytes, first 16. */
export function entryHash(headBytes: Uint8Array): Uint8Array {
  return sha256(headBytes).slice(0, HASH_BYTES);
}

export type HeadInit = Omit<
  MessageInitShape<typeof EntryHeadSchema>,
  "$typeName" | "$unknown" | "bodyHash"
>;

export function makeHead(head: HeadInit, bodyBytes: Uint8Array): Uint8Array {
  const bodyHash = sha256(bodyBytes).slice(0, HASH_BYTES);
  return toBinary(EntryHeadSchema, create(EntryHeadSchema, { ...head, bodyHash }));
}

export function makeBody(body: MessageInitShape<typeof EntryBodySchema>): Uint8Array {
  return toBinary(EntryBodySchema, create(EntryBodySchema, body));
}

/** Throws InvalidEntryError. */
export function openEntry({ head: headBytes, body: bodyBytes }: Entry): OpenedEntry {
  const head = openHead(headBytes);
  if (!equalBytes(head.bodyHash, sha256(bodyBytes).slice(0, HASH_BYTES)))
    throw new InvalidEntryError("the body is not the one that the head names");
  return { head, hash: entryHash(headBytes), headBytes, bodyBytes, body: openBody(bodyBytes) };
}

/** Throws InvalidEntryError. */
export function openHead(bytes: Uint8Array): EntryHead {
  const head = decoded(() => {
    const message = fromBinary(EntryHeadSchema, bytes);
    validate(EntryHeadSchema, message, "client");
    return message;
  });
  if (head.previousHash.length !== (head.counter === 1 ? 0 : HASH_BYTES))
    throw new InvalidEntryError("a chain begins at counter 1, and only there");
  if (head.follows !== undefined && head.counter !== 1)
    throw new InvalidEntryError("only the first entry of a chain names the one before");
  return head;
}

/** Throws InvalidEntryError. */
export function openBody(bytes: Uint8Array): EntryBody {
  return decoded(() => {
    const message = fromBinary(EntryBodySchema, bytes);
    validate(EntryBodySchema, message, "client");
    return message;
  });
}

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new InvalidEntryError("not within the schema", { cause });
  }
}
