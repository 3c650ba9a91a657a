import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { fromHex, toHex } from "@parley/protocol";
import { type EntryRef, EntryRefSchema } from "../gen/parley/store/v1/conversation_pb.ts";
import type { EntryPoint } from "./keys.ts";

/** Names an entry inside a row. */
export function refOf({ conversation, chain, counter }: EntryPoint): EntryRef {
  const fields = { conversation: fromHex(conversation), chain: fromHex(chain), counter };
  return create(EntryRefSchema, fields);
}

export function decodeRef({ conversation, chain, counter }: EntryRef): EntryPoint {
  return { conversation: toHex(conversation), chain: toHex(chain), counter };
}

export function encodePoint(point: EntryPoint): Uint8Array {
  return toBinary(EntryRefSchema, refOf(point));
}

export function decodePoint(bytes: Uint8Array): EntryPoint {
  return decodeRef(fromBinary(EntryRefSchema, bytes));
}
