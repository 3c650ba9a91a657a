import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { openLinkStep, sealLinkStep } from "@parley/crypto";
import { validate } from "@parley/protocol";
import { MessengerError } from "../api.ts";
import type { Random } from "../ports/random.ts";

/** In the order of time; what each of them holds is in link.proto. */
export const STEP = { OFFER: 0, ANSWER: 1, CONSENT: 2, DONE: 3 } as const;

const NONCE_BYTES = 12;

/** Rejects `link-expired`: whatever lies there is nothing that a device left. */
export function decodeStep<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
): MessageShape<Schema> {
  try {
    const message = fromBinary(schema, bytes);
    validate(schema, message, "client");
    return message;
  } catch (cause) {
    throw notUnderstood(cause);
  }
}

export function sealStep<Schema extends DescMessage>(
  {
    key,
    step,
    random,
  }: { readonly key: Uint8Array; readonly step: number; readonly random: Random },
  schema: Schema,
  message: MessageShape<Schema>,
): Uint8Array {
  return sealLinkStep(key, step, {
    plaintext: toBinary(schema, message),
    nonce: random(NONCE_BYTES),
  });
}

export function openStep<Schema extends DescMessage>(
  { key, step }: { readonly key: Uint8Array; readonly step: number },
  schema: Schema,
  sealed: Uint8Array,
): MessageShape<Schema> {
  let plaintext: Uint8Array;
  try {
    plaintext = openLinkStep(key, step, sealed);
  } catch (cause) {
    throw notUnderstood(cause);
  }
  return decodeStep(schema, plaintext);
}

/** Both are six digits; people type spaces. Throws `digits-differ`. */
export function requireSameDigits(own: string, typed: string): void {
  if (typed.replace(/\s/g, "") === own) return;
  throw new MessengerError(
    "digits-differ",
    "the two devices show different digits: nothing was linked. Begin again with a new code",
  );
}

function notUnderstood(cause: unknown): MessengerError {
  return new MessengerError("link-expired", "what the other device said is not understood", {
    cause,
  });
}
