import { create } from "@bufbuild/protobuf";
import { LIVE_KEY_BYTES, LIVE_KEY_ID_BYTES } from "@parley/crypto";
import { equalBytes } from "@parley/protocol";
import { type SharedKey, SharedKeySchema } from "../gen/parley/store/v1/presence_pb.ts";
import type { Random } from "../ports/random.ts";

/** A key that travels in wrappers until a receipt echoes its id: live, profile and contact keys have one form. */
export interface KeyWithId {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

export function newSharedKey(random: Random): SharedKey {
  return sharedKey({ id: random(LIVE_KEY_ID_BYTES), key: random(LIVE_KEY_BYTES) });
}

export function sharedKey({ id, key }: KeyWithId): SharedKey {
  return create(SharedKeySchema, { id, key });
}

export function isSameKey(a: KeyWithId | undefined, b: KeyWithId | undefined): boolean {
  return a !== undefined && b !== undefined && equalBytes(a.id, b.id) && equalBytes(a.key, b.key);
}
