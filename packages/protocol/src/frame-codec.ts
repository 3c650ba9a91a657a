import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { hasMoreFieldsThan } from "./count-fields.ts";
import { ProtocolError } from "./errors.ts";
import { ErrorCode } from "./gen/parley/wire/v1/error_pb.ts";
import {
  type ClientFrame,
  ClientFrameSchema,
  type ServerFrame,
  ServerFrameSchema,
} from "./gen/parley/wire/v1/frame_pb.ts";
import {
  CLIENT_FRAME_BYTES_MAX,
  CLIENT_FRAME_FIELDS_MAX,
  SERVER_FRAME_BYTES_MAX,
  SERVER_FRAME_FIELDS_MAX,
} from "./limits.ts";
import { type Sender, validate } from "./validate.ts";

/**
 * Frames to bytes and back, neutral to what carries them. Decoding checks sizes and every limit of the
 * schema, once; what it throws is a ProtocolError: MALFORMED_FRAME where the bytes are no frame,
 * INVALID_REQUEST (with the request id, see `requestIdOf`) where a field is outside its limits.
 * `bytes` fields of a decoded frame are views of the input: copy what outlives it.
 */
export function encodeClientFrame(
  frame: MessageInitShape<typeof ClientFrameSchema>,
): Uint8Array<ArrayBuffer> {
  return toBinary(ClientFrameSchema, create(ClientFrameSchema, frame));
}

export function decodeClientFrame(
  bytes: Uint8Array,
  bytesMax = CLIENT_FRAME_BYTES_MAX,
): ClientFrame {
  const limits = { bytesMax, fieldsMax: CLIENT_FRAME_FIELDS_MAX, sender: "client" as const };
  return decode(ClientFrameSchema, bytes, limits) as ClientFrame;
}

export function encodeServerFrame(
  frame: MessageInitShape<typeof ServerFrameSchema>,
): Uint8Array<ArrayBuffer> {
  return toBinary(ServerFrameSchema, create(ServerFrameSchema, frame));
}

export function decodeServerFrame(
  bytes: Uint8Array,
  bytesMax = SERVER_FRAME_BYTES_MAX,
): ServerFrame {
  const limits = { bytesMax, fieldsMax: SERVER_FRAME_FIELDS_MAX, sender: "server" as const };
  return decode(ServerFrameSchema, bytes, limits) as ServerFrame;
}

/** A frame that is well-formed and whose fields are not within their limits: the answer names its request. */
export class InvalidFrameError extends ProtocolError {
  readonly requestId: number;

  constructor(requestId: number, cause: ProtocolError) {
    super(cause.code, cause.message, { cause });
    this.requestId = requestId;
  }
}

interface FrameLimits {
  readonly bytesMax: number;
  readonly fieldsMax: number;
  readonly sender: Sender;
}

/** A field takes two bytes or more, so shorter frames cannot hold what costs a millisecond. */
const COUNTED_FROM_BYTES = 2_048;

function decode(
  schema: DescMessage,
  bytes: Uint8Array,
  { bytesMax, fieldsMax, sender }: FrameLimits,
): unknown {
  if (bytes.length > bytesMax)
    throw malformed(`${bytes.length} bytes, at most ${bytesMax} are allowed`);
  if (bytes.length >= COUNTED_FROM_BYTES && hasMoreFieldsThan(fieldsMax, schema, bytes))
    throw malformed(`more than ${fieldsMax} fields`);
  let frame: ClientFrame | ServerFrame;
  try {
    frame = fromBinary(schema, bytes) as unknown as ClientFrame | ServerFrame;
  } catch (cause) {
    throw malformed("not a frame of this protocol", cause);
  }
  try {
    validate(schema, frame, sender);
  } catch (cause) {
    throw new InvalidFrameError(frame.requestId, ProtocolError.from(cause));
  }
  return frame;
}

function malformed(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError(ErrorCode.MALFORMED_FRAME, message, { cause });
}
