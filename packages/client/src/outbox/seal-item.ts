import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Kept } from "@parley/crypto";
import {
  DeliveryClass,
  EntrySchema,
  EnvelopeSchema,
  fromHex,
  type SendMessageRequest,
  SendMessageRequestSchema,
  type Signal,
  SignalSchema,
  toHex,
} from "@parley/protocol";
import { decodeRef } from "../conversation/entry-ref.ts";
import type { EntryPoint } from "../conversation/keys.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { listHeads } from "../conversation/take-entry.ts";
import { ownHeadFor, startFor, type Wrapping, wrap } from "../conversation/wrapper.ts";
import type { Device } from "../device.ts";
import type { KnownAccount } from "../directory/directory.ts";
import type { OutboxItem } from "../gen/parley/store/v1/conversation_pb.ts";
import type { Random } from "../ports/random.ts";
import { ridingKeys } from "../presence/given-keys.ts";
import { echoesFor } from "../presence/held-keys.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { NoSessionError } from "../sessions/sessions.ts";

const ENVELOPE_ID_BYTES = 16;

export interface Sealing extends Pick<Device, "directory" | "sessions"> {
  readonly own: DeviceAddress;
  readonly ownHandle: string;
  readonly random: Random;
  readonly nowMs: number;
  /** Within the last day: it gets none, unless it is the only one that would. */
  isSkipped(to: DeviceAddress): boolean;
}

/**
 * Encrypts one item for every device that it goes to, and keeps the request in it; to be sent it is there once the
 * transaction is durable. Throws NoSessionError where the lists of devices or a session are missing: prepare the
 * recipient first.
 */
export async function sealItem(
  sealing: Sealing,
  ledger: Ledger,
  item: OutboxItem,
): Promise<Kept<SendMessageRequest>> {
  const { directory, own } = sealing;
  const { tx } = ledger;
  const conversation = toHex(item.recipientAccount);
  const recipient = await directory.account(tx, conversation);
  const sender = await directory.account(tx, own.accountId);
  if (recipient === undefined || sender === undefined)
    throw new NoSessionError("no list of the account's devices");
  const isToOwn = conversation === own.accountId;
  const theirs = await directory.addresses(tx, conversation);
  const others = isToOwn ? [] : await directory.addresses(tx, own.accountId);
  const isSignal = item.content.case === "signal";
  const wanted = theirs.filter(({ deviceId }) => isFor(item, deviceId));
  const reached = wanted.filter((to) => !sealing.isSkipped(to));
  const recipients = reached.length > 0 ? reached : wanted;
  const ownOthers = isSignal ? [] : others.filter((to) => !sealing.isSkipped(to));
  const seal = sealer(sealing, ledger, { item, recipient, sender });
  const toThem = {
    envelopes: await inOrder(recipients, seal),
    leftOut: idsWithout(theirs, recipients),
  };
  const request = create(
    SendMessageRequestSchema,
    isToOwn
      ? {
          // Own devices are named without a recipient.
          senderHead: sender.head,
          ownEnvelopes: toThem.envelopes,
          leftOutOwnDevices: toThem.leftOut,
        }
      : {
          recipientAccount: item.recipientAccount,
          recipientHead: recipient.head,
          senderHead: sender.head,
          recipientEnvelopes: toThem.envelopes,
          ownEnvelopes: await inOrder(ownOthers, seal),
          leftOutRecipientDevices: toThem.leftOut,
          leftOutOwnDevices: idsWithout(others, ownOthers),
        },
  );
  if (!isSignal) {
    const skipped = [...wanted, ...others].filter((to) => sealing.isSkipped(to));
    await beginFor(ledger, pointOf(item), skipped);
  }
  item.request = toBinary(SendMessageRequestSchema, request);
  return new Kept(request, tx);
}

const isFor = ({ onlyDevice }: OutboxItem, deviceId: number) =>
  onlyDevice === 0 || onlyDevice === deviceId;

const idsWithout = (all: readonly DeviceAddress[], some: readonly DeviceAddress[]) =>
  all.filter((address) => !some.includes(address)).map(({ deviceId }) => deviceId);

/** The chain begins here for who is left out as well: it may ask for what it does not get. */
async function beginFor(ledger: Ledger, point: EntryPoint, devices: readonly DeviceAddress[]) {
  const chain = await ledger.chain(point.conversation, point.chain);
  if (chain === undefined || devices.length === 0) return;
  for (const to of devices) startFor(chain, to, point.counter);
  ledger.changed(chain);
}

interface Parties {
  readonly item: OutboxItem;
  readonly recipient: KnownAccount;
  readonly sender: KnownAccount;
}

function sealer(
  { sessions, random, nowMs, ownHandle }: Sealing,
  ledger: Ledger,
  { item, recipient, sender }: Parties,
) {
  const lists = { own: sender.head.hash, theirs: recipient.head.hash };
  return async (to: DeviceAddress) => {
    const keys =
      to.accountId !== sender.accountId
        ? await ridingKeys(ledger.tx, { random, nowMs }, { to, lists })
        : {};
    const content = wrap({
      ...keys,
      senderHead: sender.head,
      recipientHead: to.accountId !== sender.accountId ? recipient.head : undefined,
      ...(await contentFor(ledger, { item, recipient, sender, ownHandle }, to)),
    });
    const ciphertext = await sessions.encrypt(ledger.tx, to, content, {
      carriesKeys: Object.values(keys).some((key) => key !== undefined),
    });
    return create(EnvelopeSchema, {
      id: random(ENVELOPE_ID_BYTES),
      destinationDevice: to.deviceId,
      deliveryClass: DeliveryClass.DURABLE,
      // As in ordinary chats, whatever it holds: the bit says nothing (trust.md 10).
      urgent: true,
      ciphertext: ciphertext.inside(ledger.tx),
    });
  };
}

async function contentFor(
  ledger: Ledger,
  { item, recipient, sender, ownHandle }: Parties & { readonly ownHandle: string },
  to: DeviceAddress,
): Promise<Pick<Wrapping, "chain" | "class" | "senderHandle">> {
  if (item.content.case === "signal")
    return {
      chain: await ownHeadFor(ledger, recipient.accountId, to),
      class: { case: "signal", value: await signalFor(ledger, item.content.value, to) },
    };
  const point = pointOf(item);
  const entry = await ledger.entry(point);
  const chain = await ledger.chain(point.conversation, point.chain);
  if (entry === undefined || chain === undefined) throw new Error("an entry without its row");
  if (entry.senderHead === undefined) {
    Object.assign(entry, listHeads({ sender: sender.head, recipient: recipient.head }));
    ledger.changed(entry);
  }
  const start = startFor(chain, to, point.counter);
  ledger.changed(chain);
  const isOwn = to.accountId === sender.accountId;
  const mayBeStrange = !isOwn && chain.delivered.length === 0;
  return {
    chain: {
      chain: fromHex(point.chain),
      start,
      ...(isOwn && { conversation: { with: { case: "accountId", value: item.recipientAccount } } }),
    },
    senderHandle: mayBeStrange ? ownHandle : undefined,
    class: {
      case: "entry",
      value: create(EntrySchema, { head: entry.head, body: entry.body }),
    },
  };
}

/** A receipt says to each device which of its keys are held here (delivery.md 6). */
async function signalFor({ tx }: Ledger, encoded: Uint8Array, to: DeviceAddress): Promise<Signal> {
  const signal = fromBinary(SignalSchema, encoded);
  if (signal.kind.case === "receipt") Object.assign(signal.kind.value, await echoesFor(tx, to));
  return signal;
}

export function pointOf({ content }: OutboxItem): EntryPoint {
  if (content.case !== "entry") throw new Error("no entry in the item");
  return decodeRef(content.value);
}

/** One after the other: each steps a ratchet of the same transaction. */
async function inOrder<T>(
  addresses: readonly DeviceAddress[],
  seal: (to: DeviceAddress) => Promise<T>,
): Promise<T[]> {
  const sealed: T[] = [];
  for (const address of addresses) sealed.push(await seal(address));
  return sealed;
}
