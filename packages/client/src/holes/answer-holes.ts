import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type AnsweredEntrySchema,
  fromHex,
  HoleAnswerSchema,
  type HoleRequest,
  type KnownHeadSchema,
  SignalSchema,
  toHex,
} from "@parley/protocol";
import { acceptedHead, holds } from "../conversation/chain.ts";
import { hasCounter } from "../conversation/counter-set.ts";
import { entryHash } from "../conversation/entry.ts";
import type { EntryPoint } from "../conversation/keys.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { ownerOf } from "../conversation/placing.ts";
import type { ChainRecord } from "../gen/parley/store/v1/conversation_pb.ts";
import type { InboxBatch } from "../inbox/batch.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";

type Answered = MessageInitShape<typeof AnsweredEntrySchema>;
type Head = MessageInitShape<typeof KnownHeadSchema>;

/** At most so many counters a request (delivery.md 2). */
export const COUNTERS_MAX = 256;
/** Of one answer, but for a single entry that is larger: an envelope holds 96 KiB, padding included. */
const ANSWER_BYTES_MAX = 24 * 1024;

export interface Answering {
  readonly own: DeviceAddress;
  readonly outbox: Outbox;
}

/**
 * Answers a contact's request, encrypted anew for the device that asks: the exact bytes of what is here, or
 * that it is not; without ranges, every chain of the conversation and how far it goes.
 */
export async function answerHoles(
  { own, outbox }: Answering,
  { ledger }: InboxBatch,
  { from, request }: { readonly from: DeviceAddress; readonly request: HoleRequest },
): Promise<void> {
  const conversation = from.accountId;
  const heads = request.ranges.length === 0 ? await headsOf(ledger, conversation, own) : [];
  const parts = await answersOf(ledger, { conversation, own, request });
  for (const [index, entries] of parts.entries()) {
    const answer = create(HoleAnswerSchema, {
      number: request.number,
      entries,
      heads: index === 0 ? heads : [],
      more: index < parts.length - 1,
    });
    const signal = create(SignalSchema, { kind: { case: "holeAnswer", value: answer } });
    await outbox.put(ledger, {
      recipientAccount: fromHex(conversation),
      content: { case: "signal", value: toBinary(SignalSchema, signal) },
      onlyDevice: from.deviceId,
    });
  }
}

/** Of this device's own chains what is accepted. */
export async function headsOf(
  ledger: Ledger,
  conversation: string,
  own: DeviceAddress,
): Promise<Head[]> {
  const heads: Head[] = [];
  for (const [id, chain] of await ledger.chainsOf(conversation)) {
    const { accountId, deviceId } = ownerOf(chain);
    const counter = accountId === own.accountId ? acceptedHead(chain) : chain.head;
    const entry = await ledger.entry({ conversation, chain: id, counter });
    heads.push({
      accountId: chain.accountId,
      deviceId,
      chain: fromHex(id),
      counter: entry === undefined ? 0 : counter,
      hash: entry === undefined ? new Uint8Array() : entryHash(entry.head),
    });
  }
  return heads;
}

interface Asked {
  readonly conversation: string;
  readonly own: DeviceAddress;
  readonly request: HoleRequest;
}

/** In parts that fit into an envelope; one empty part where nothing was asked by counter. */
async function answersOf(
  ledger: Ledger,
  { conversation, own, request }: Asked,
): Promise<Answered[][]> {
  const parts: Answered[][] = [[]];
  let bytes = 0;
  let counters = 0;
  for (const { chain, first, last } of request.ranges)
    for (let counter = first; counter <= last && counters < COUNTERS_MAX; counter++) {
      counters += 1;
      const point = { conversation, chain: toHex(chain), counter };
      const answered = await answerOf(ledger, point, own);
      if (answered === undefined) break; // No such chain here.
      const size = sizeOf(answered);
      if (bytes > 0 && bytes + size > ANSWER_BYTES_MAX) {
        parts.push([]);
        bytes = 0;
      }
      bytes += size;
      parts.at(-1)?.push(answered);
    }
  return parts;
}

async function answerOf(
  ledger: Ledger,
  point: EntryPoint,
  own: DeviceAddress,
): Promise<Answered | undefined> {
  const chain = await ledger.chain(point.conversation, point.chain);
  if (chain === undefined) return undefined;
  const { accountId, deviceId } = ownerOf(chain);
  const named = {
    accountId: fromHex(accountId),
    deviceId,
    chain: fromHex(point.chain),
    counter: point.counter,
  };
  const entry = await ledger.entry(point);
  if (entry === undefined || !mayGo(chain, point.counter, accountId === own.accountId))
    return { ...named, state: { case: "notHere", value: true } };
  if (entry.hidden.case === "deleted")
    return { ...named, state: { case: "deletedHead", value: entry.head } };
  if (entry.hidden.case === "expired")
    return { ...named, state: { case: "expiredHead", value: entry.head } };
  const { senderHead, recipientHead } = entry;
  return {
    ...named,
    state: { case: "entry", value: { head: entry.head, body: entry.body } },
    acceptedUnder: {
      ...(senderHead && { senderHead: fieldsOf(senderHead) }),
      ...(recipientHead && { recipientHead: fieldsOf(recipientHead) }),
    },
  };
}

/** What the server has not accepted yet goes its own way. */
function mayGo(chain: ChainRecord, counter: number, mine: boolean): boolean {
  return holds(chain, counter) && (!mine || hasCounter(chain.accepted, counter));
}

function sizeOf({ state }: Answered): number {
  return state?.case === "entry"
    ? 128 + (state.value.head?.length ?? 0) + (state.value.body?.length ?? 0)
    : 640;
}

const fieldsOf = ({ era, version, hash }: { era: number; version: number; hash: Uint8Array }) => ({
  era,
  version,
  hash,
});
