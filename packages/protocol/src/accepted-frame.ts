import type { Allocate } from "./rows.ts";
import {
  fieldBytes,
  LENGTH_DELIMITED,
  varintBytes,
  writeBytes,
  writeTag,
  writeVarint,
} from "./varint.ts";

/**
 * A whole ServerFrame {send_message {accepted {epoch, mark}}}: the answer to nearly every message, written by
 * hand. A test holds it against the general encoder.
 */
export function encodeAccepted(
  requestId: number,
  { epoch, mark }: { readonly epoch: Uint8Array; readonly mark: bigint },
  allocate: Allocate,
): Uint8Array {
  const markNumber = Number(mark);
  const accepted = fieldBytes(epoch.length) + (markNumber === 0 ? 0 : 1 + varintBytes(markNumber));
  const response = fieldBytes(accepted);
  const frame = allocate((requestId === 0 ? 0 : 1 + varintBytes(requestId)) + fieldBytes(response));
  let at = 0;
  if (requestId !== 0) at = writeVarint(frame, writeTag(frame, at, 1, VARINT), requestId);
  at = writeVarint(frame, writeTag(frame, at, SEND_MESSAGE, LENGTH_DELIMITED), response);
  at = writeVarint(frame, writeTag(frame, at, ACCEPTED, LENGTH_DELIMITED), accepted);
  at = writeBytes(frame, at, EPOCH, epoch);
  if (markNumber !== 0) writeVarint(frame, writeTag(frame, at, MARK, VARINT), markNumber);
  return frame;
}

const VARINT = 0;
// ServerFrame.send_message, SendMessageResponse.accepted, Accepted.epoch, Accepted.mark
const SEND_MESSAGE = 5;
const ACCEPTED = 1;
const EPOCH = 1;
const MARK = 2;
