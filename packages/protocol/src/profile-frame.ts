import { fieldBytes, LENGTH_DELIMITED, varintBytes, writeTag, writeVarint } from "./varint.ts";

/**
 * What stands before the sealed profile in a whole ServerFrame {fetch_profile {sealed_profile}}: the longest
 * answer that everybody may ask for, so that its bytes need not be copied to be sent. A test holds it against
 * the general encoder. The profile is not empty.
 */
export function encodeProfileHead(requestId: number, profileBytes: number): Uint8Array {
  const response = fieldBytes(profileBytes);
  const id = requestId === 0 ? 0 : 1 + varintBytes(requestId);
  const head = new Uint8Array(id + fieldBytes(response) - profileBytes);
  let at = 0;
  if (requestId !== 0) at = writeVarint(head, writeTag(head, at, REQUEST_ID, VARINT), requestId);
  at = writeVarint(head, writeTag(head, at, FETCH_PROFILE, LENGTH_DELIMITED), response);
  writeVarint(head, writeTag(head, at, SEALED_PROFILE, LENGTH_DELIMITED), profileBytes);
  return head;
}

const VARINT = 0;
// ServerFrame.request_id and .fetch_profile, FetchProfileResponse.sealed_profile
const REQUEST_ID = 1;
const FETCH_PROFILE = 14;
const SEALED_PROFILE = 1;
