import { randomBytes, randomFillSync } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { DeliveryClass, EnvelopeSchema, encodeClientFrame } from "@parley/protocol";
import { ENVELOPE_BYTES } from "../network.ts";
import { type Account, DEVICE_ID } from "./account.ts";
import { clientFrame, OPCODE, payloadOffset } from "./wire/client-frame.ts";

/** The kind of ciphertext that our client makes now, without post-quantum ratchet. */
const CIPHERTEXT_KIND = 0x02;
/** Id, device, class, urgent, and the tag and length of the ciphertext. */
const ENVELOPE_HEAD_BYTES = 27;
/** In the ciphertext behind its kind: the clock of the sending process as a double, and the message's number. */
const STAMP_OFFSET = 1;
const STAMP_BYTES = 12;
/** Two bytes of varint, whatever the number: only those under way must differ. */
const REQUEST_ID_MIN = 128;
const REQUEST_IDS = 16_384 - REQUEST_ID_MIN;
const REQUEST_ID_OFFSET = 1;

/**
 * A send request from one account to another, encoded and masked once. A message is a copy in which the request
 * id, the envelope's id and the stamp are set.
 */
export class MessageTemplate {
  readonly frameBytes: number;
  readonly #frame: Buffer;
  readonly #idAt: number;
  readonly #stampAt: number;
  readonly #key: Uint8Array;
  readonly #start: number;
  readonly #stamp = Buffer.alloc(STAMP_BYTES);
  readonly #idPrefix = randomBytes(12);

  constructor(from: Account, to: Account, maskKey: Uint8Array) {
    const id = randomBytes(16);
    const stamp = randomBytes(STAMP_BYTES);
    const payload = Buffer.from(encode(from, to, { id, stamp }));
    this.#frame = clientFrame(OPCODE.binary, payload, maskKey);
    this.frameBytes = this.#frame.length;
    this.#start = payloadOffset(payload.length);
    this.#idAt = payload.indexOf(id);
    this.#stampAt = payload.indexOf(stamp);
    this.#key = maskKey;
  }

  /** Writes one message at that place of a buffer. */
  put(target: Buffer, at: number, message: { number: number; sentAt: number }): void {
    this.#frame.copy(target, at);
    const start = at + this.#start;
    const requestId = REQUEST_ID_MIN + (message.number % REQUEST_IDS);
    this.#set(target, start, REQUEST_ID_OFFSET, (requestId & 0x7f) | 0x80);
    this.#set(target, start, REQUEST_ID_OFFSET + 1, requestId >> 7);
    const stamp = this.#stamp;
    stamp.writeDoubleLE(message.sentAt);
    stamp.writeUInt32LE(message.number, 8);
    for (let i = 0; i < STAMP_BYTES; i++)
      this.#set(target, start, this.#stampAt + i, stamp[i] as number);
    for (let i = 0; i < 12; i++)
      this.#set(target, start, this.#idAt + i, this.#idPrefix[i] as number);
    for (let i = 0; i < 4; i++)
      this.#set(target, start, this.#idAt + 12 + i, stamp[8 + i] as number);
  }

  #set(target: Buffer, start: number, offset: number, byte: number): void {
    target[start + offset] = byte ^ (this.#key[offset & 3] as number);
  }
}

/** What `put` wrote, in a delivered ciphertext that begins there. */
export function stampAt(
  bytes: Buffer,
  ciphertextStart: number,
): { sentAt: number; number: number } {
  const at = ciphertextStart + STAMP_OFFSET;
  return { sentAt: bytes.readDoubleLE(at), number: bytes.readUInt32LE(at + 8) };
}

function encode(from: Account, to: Account, { id, stamp }: { id: Uint8Array; stamp: Uint8Array }) {
  const ciphertext = randomFillSync(new Uint8Array(ENVELOPE_BYTES - ENVELOPE_HEAD_BYTES));
  ciphertext[0] = CIPHERTEXT_KIND;
  ciphertext.set(stamp, STAMP_OFFSET);
  const envelope = create(EnvelopeSchema, {
    id,
    destinationDevice: DEVICE_ID,
    deliveryClass: DeliveryClass.DURABLE,
    urgent: true,
    ciphertext,
  });
  if (toBinary(EnvelopeSchema, envelope).length !== ENVELOPE_BYTES)
    throw new Error(`an envelope is to have ${ENVELOPE_BYTES} bytes`);
  return encodeClientFrame({
    requestId: REQUEST_ID_MIN,
    request: {
      case: "sendMessage",
      value: {
        recipientAccount: to.accountId,
        recipientHead: to.head,
        senderHead: from.head,
        recipientEnvelopes: [envelope],
        stateNumber: 1n,
      },
    },
  });
}
