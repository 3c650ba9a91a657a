import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  encodeAccepted,
  encodeProfileHead,
  encodeServerFrame,
  type SendMessageResponseSchema,
} from "@parley/protocol";
import { allocate } from "../lib/bytes.ts";
import type { Answer } from "./router.ts";

/** A whole frame. The answer to nearly every message has an encoder of its own, which costs a tenth. */
export function encodeAnswer(requestId: number, response: Answer): Uint8Array {
  if (response.case === "sendMessage") {
    const frame = encodePlainAccepted(requestId, response.value);
    if (frame !== undefined) return frame;
  }
  return encodeServerFrame({ requestId, response });
}

/** Below it, a copy costs less than a second piece. */
const LONG_BYTES_MIN = 4 * 1024;

/** A whole frame in two pieces, whose longer one is sent as it lies there; undefined for most answers. */
export function longAnswer(
  requestId: number,
  response: Answer,
): { readonly head: Uint8Array; readonly tail: Uint8Array } | undefined {
  if (response.case !== "fetchProfile") return undefined;
  const { sealedProfile: tail } = response.value;
  if (tail === undefined || tail.length < LONG_BYTES_MIN) return undefined;
  return { head: encodeProfileHead(requestId, tail.length), tail };
}

function encodePlainAccepted(
  requestId: number,
  { outcome }: MessageInitShape<typeof SendMessageResponseSchema>,
): Uint8Array | undefined {
  if (outcome?.case !== "accepted") return undefined;
  const { epoch, mark, skippedOwnDevices = [], skippedRecipientDevices = [] } = outcome.value;
  if (skippedOwnDevices.length + skippedRecipientDevices.length > 0) return undefined;
  return encodeAccepted(requestId, { epoch: epoch as Uint8Array, mark: mark as bigint }, allocate);
}
