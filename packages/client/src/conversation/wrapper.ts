import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type AccountHead, ContentSchema, fromHex, toHex } from "@parley/protocol";
import type { ChainRecord } from "../gen/parley/store/v1/conversation_pb.ts";
import type { KeyWithId } from "../presence/shared-key.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { acceptedHead } from "./chain.ts";
import { entryHash } from "./entry.ts";
import type { Ledger } from "./ledger.ts";

/** What only devices see, round an entry or a signal (delivery.md 1). */
export interface Wrapping {
  readonly senderHead: AccountHead;
  readonly recipientHead: AccountHead | undefined;
  readonly chain: MessageInitShape<typeof ContentSchema>["chain"];
  /** For somebody who may not have met this account yet. */
  readonly senderHandle?: string | undefined;
  /** Until a receipt echoes their ids (trust.md 5 and 10). */
  readonly liveKey?: KeyWithId | undefined;
  readonly profileKey?: KeyWithId | undefined;
  readonly contactKey?: KeyWithId | undefined;
  readonly class: NonNullable<MessageInitShape<typeof ContentSchema>["class"]>;
}

export function wrap(wrapping: Wrapping): Uint8Array {
  const { senderHead, recipientHead, chain, senderHandle, class: kind } = wrapping;
  const { liveKey, profileKey, contactKey } = wrapping;
  return toBinary(
    ContentSchema,
    create(ContentSchema, {
      senderHead,
      ...(recipientHead && { recipientHead }),
      ...(chain && { chain }),
      ...(senderHandle && { senderHandle }),
      ...(liveKey && { liveKey: idAndKey(liveKey) }),
      ...(profileKey && { profileKey: idAndKey(profileKey) }),
      ...(contactKey && { contactKey: idAndKey(contactKey) }),
      class: kind,
    }),
  );
}

const idAndKey = ({ id, key }: KeyWithId) => ({ id, key });

/** Where the chain begins for the device; decided with the first entry that goes there. */
export function startFor(chain: ChainRecord, to: DeviceAddress, counter: number): number {
  const found = chain.starts.find(
    ({ accountId, deviceId }) => deviceId === to.deviceId && toHex(accountId) === to.accountId,
  );
  if (found !== undefined) return found.start;
  chain.starts.push({
    $typeName: "parley.store.v1.DeviceStart",
    accountId: fromHex(to.accountId),
    deviceId: to.deviceId,
    start: counter,
  });
  return counter;
}

/** In a signal: how far this device's chain in the conversation goes, so that a missing tail shows. */
export async function ownHeadFor(
  ledger: Ledger,
  conversation: string,
  to: DeviceAddress,
): Promise<Wrapping["chain"]> {
  const { ownChain } = await ledger.conversation(conversation);
  if (ownChain.length === 0) return undefined;
  const chain = await ledger.chain(conversation, toHex(ownChain));
  const start = chain?.starts.find(
    ({ accountId, deviceId }) => deviceId === to.deviceId && toHex(accountId) === to.accountId,
  )?.start;
  if (chain === undefined || start === undefined) return undefined;
  const headCounter = acceptedHead(chain);
  const entry = await ledger.entry({
    conversation,
    chain: toHex(ownChain),
    counter: headCounter,
  });
  return {
    chain: ownChain,
    start,
    headCounter: entry === undefined ? 0 : headCounter,
    headHash: entry === undefined ? new Uint8Array() : entryHash(entry.head),
  };
}
