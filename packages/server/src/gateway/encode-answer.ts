import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  encodeAccepted,
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

function encodePlainAccepted(
  requestId: number,
  { outcome }: MessageInitShape<typeof SendMessageResponseSchema>,
): Uint8Array | undefined {
  if (outcome?.case !== "accepted") return undefined;
  const { epoch, mark, skippedOwnDevices = [], skippedRecipientDevices = [] } = outcome.value;
  if (skippedOwnDevices.length + skippedRecipientDevices.length > 0) return undefined;
  return encodeAccepted(requestId, { epoch: epoch as Uint8Array, mark: mark as bigint }, allocate);
}
