import {
  encapsulateFirst,
  encapsulateSecond,
  splitKeyOf,
} from "../../../packages/crypto/src/primitives/mlkem768-split.ts";
import {
  epochSecretOf,
  macOfCiphertext,
  macOfHeader,
  newAuthenticator,
  updated,
} from "../../../packages/crypto/src/spqr/authenticator.ts";
import { decodeBraidMessage } from "../../../packages/crypto/src/spqr/braid-message.ts";
import { newPqRatchet, pqReceive, pqSend } from "../../../packages/crypto/src/spqr/pq-ratchet.ts";
import { concatBytes, toHex } from "../../../packages/protocol/src/ids.ts";
import { fixed, fixedRandom, run } from "./fixed.ts";

const EPOCH = 1n;
/** Every so many messages one is lost, so that chunks behind the part's own are needed. */
const LOSS = 5;
const DRAWS = ["initiator's braid", "responder's braid"] as const;

/** The first epoch: its parts, and all messages until both sides have sent under its secret. */
export function pqRatchetVectors() {
  const key = fixed("post-quantum ratchet");
  return { key, ...partsOf(key), ...conversation(key) };
}

function partsOf(key: Uint8Array) {
  const [seed, m] = [fixedRandom(DRAWS[0])(64), fixedRandom(DRAWS[1])(32)];
  const { header, vector } = run(splitKeyOf(seed));
  const { ciphertext1: ct1, sharedSecret } = encapsulateFirst(header, m);
  const ct2 = encapsulateSecond(header, vector, m);
  const before = newAuthenticator(EPOCH, key);
  const secret = epochSecretOf(sharedSecret, EPOCH);
  const after = updated(before, EPOCH, secret);
  return {
    ...{ seed, header, headerMac: macOfHeader(before, EPOCH, header), vector },
    ...{ m, ct1, ct2, ciphertextMac: macOfCiphertext(after, EPOCH, concatBytes(ct1, ct2)) },
    ...{ sharedSecret, secret, macKeyBefore: before.mac, macKeyAfter: after.mac },
  };
}

/** `sender message key`, and `lost` behind those that do not arrive. */
function conversation(key: Uint8Array) {
  const sides = [newPqRatchet(true, key), newPqRatchet(false, key)] as [Side, Side];
  const randoms = DRAWS.map(fixedRandom);
  const messages: string[] = [];
  const underSecret = [false, false];
  for (let n = 0; underSecret.includes(false); n++) {
    const [from, to] = n % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    const sent = run(pqSend(sides[from], randoms[from] as (byteCount: number) => Uint8Array));
    sides[from] = sent.ratchet;
    const message = decodeBraidMessage(sent.message);
    const isLost = n % LOSS === LOSS - 1;
    if (!isLost) sides[to] = received(sides[to], message, sent.key);
    if (!isLost && message.epoch > EPOCH) underSecret[from] = true;
    const said = [from === 0 ? "initiator" : "responder", toHex(sent.message), toHex(sent.key)];
    messages.push([...said, ...(isLost ? ["lost"] : [])].join(" "));
  }
  return { messages };
}

type Side = ReturnType<typeof newPqRatchet>;

function received(side: Side, message: ReturnType<typeof decodeBraidMessage>, key: Uint8Array): Side {
  const outcome = run(pqReceive(side, message, 0));
  if (outcome.kind !== "key" || toHex(outcome.key) !== toHex(key))
    throw new Error("the two sides do not agree on a message's key");
  return outcome.ratchet;
}
