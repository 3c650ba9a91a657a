import { create, toBinary } from "@bufbuild/protobuf";
import {
  AccountHeadSchema,
  fromHex,
  type HandedChain,
  HandedChainSchema,
  type HandedContact,
  HandedContactSchema,
  HandOverSchema,
  KnownHeadSchema,
  SignalSchema,
  toHex,
} from "@parley/protocol";
import { allContacts } from "../contacts.ts";
import { acceptedHead } from "../conversation/chain.ts";
import { entryHash } from "../conversation/entry.ts";
import type { Ledger } from "../conversation/ledger.ts";
import type { ChainRecord } from "../gen/parley/store/v1/conversation_pb.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { ownAddress, type Parts } from "../parts.ts";
import { ownKeys } from "../presence/own-presence.ts";
import type { Transaction } from "../store/transaction.ts";

/** Of one signal: about 150 and 80 bytes each. */
const CONTACTS_AT_ONCE = 128;
const CHAINS_AT_ONCE = 128;
const HEAD_HASH_BYTES = 16;

/** A device that this one takes in, from before the server hears of it until everything for it is in the outbox. */
const DUE = "hand-over/";

export function noteHandOverDue(tx: Transaction, deviceId: number): void {
  tx.put("vault-settings", `${DUE}${deviceId}`, Uint8Array.of(deviceId));
}

/**
 * Behind a drain: what was accepted before a new device was listed went to the older ones alone. Whatever ended this
 * program or its connection in the meantime, a device that waits for its hand-over gets it.
 */
export async function handOverDue(
  parts: Parts & { readonly outbox: Outbox },
  ledger: Ledger,
): Promise<void> {
  const rows = await ledger.tx.range("vault-settings", { from: DUE, before: `${DUE}~` });
  for (const { key, value } of rows) {
    const deviceId = value[0] as number;
    const { accountId } = ownAddress(parts);
    const isListed = await parts.device.directory.device(ledger.tx, { accountId, deviceId });
    if (isListed !== undefined) await handOver(parts, ledger, deviceId);
    ledger.tx.delete("vault-settings", key);
  }
}

/** What a new device needs before it writes: whom this account knows, and where each chain stands (trust.md 3). */
async function handOver(
  parts: Parts & { readonly outbox: Outbox },
  ledger: Ledger,
  toDevice: number,
): Promise<void> {
  const { identity } = parts.device;
  const contacts = await handedContacts(parts, ledger);
  const chains = await handedChains(parts, ledger);
  const { profileKey, contactKey } = await ownKeys(ledger.tx, parts.random);
  const { backupKey, backupId, signUpReceipt } = identity.sharedSecrets();
  const secrets = { backupKey, backupId, signUpReceipt };
  const keys = {
    ...{ profileKeyId: profileKey.id, profileKey: profileKey.key },
    ...{ contactKeyId: contactKey.id, contactKey: contactKey.key },
  };
  const parcels: { contacts?: HandedContact[]; chains?: HandedChain[] }[] = [
    ...inParts(contacts, CONTACTS_AT_ONCE).map((some) => ({ contacts: some })),
    ...inParts(chains, CHAINS_AT_ONCE).map((some) => ({ chains: some })),
    {},
  ];
  for (const [index, parcel] of parcels.entries()) {
    const last = index === parcels.length - 1;
    const value = create(HandOverSchema, { ...parcel, ...(last && { ...secrets, ...keys, last }) });
    const signal = create(SignalSchema, { kind: { case: "handOver", value } });
    await parts.outbox.put(ledger, {
      recipientAccount: fromHex(ownAddress(parts).accountId),
      onlyDevice: toDevice,
      content: { case: "signal", value: toBinary(SignalSchema, signal) },
    });
  }
}

async function handedContacts({ device }: Parts, { tx }: Ledger): Promise<HandedContact[]> {
  const handed: HandedContact[] = [];
  for (const [accountId, { accepted, blocked, localName, verified }] of await allContacts(tx)) {
    const { handle, rootKey, era, version, headHash } = await device.directory.pinned(
      tx,
      accountId,
    );
    const hash = headHash.slice(0, HEAD_HASH_BYTES);
    handed.push(
      create(HandedContactSchema, {
        ...{
          accountId: fromHex(accountId),
          handle,
          localName,
          rootKey,
          accepted,
          blocked,
          verified,
        },
        ...(era > 0 && { head: create(AccountHeadSchema, { era, version, hash }) }),
      }),
    );
  }
  return handed;
}

/** Of this device's own chains only what is accepted: the rest may still be another's place. */
async function handedChains(parts: Parts, ledger: Ledger): Promise<HandedChain[]> {
  const own = ownAddress(parts);
  const handed: HandedChain[] = [];
  for (const conversation of await ledger.conversations())
    for (const [chain, record] of await ledger.chainsOf(conversation)) {
      const isOwn = toHex(record.accountId) === own.accountId && record.deviceId === own.deviceId;
      const counter = isOwn ? acceptedHead(record) : record.head;
      const head = await headAt(ledger, { conversation, chain, counter }, record);
      if (head !== undefined)
        handed.push(create(HandedChainSchema, { conversation: fromHex(conversation), ...head }));
    }
  return handed;
}

async function headAt(
  ledger: Ledger,
  point: { readonly conversation: string; readonly chain: string; readonly counter: number },
  { accountId, deviceId, start, placeBeforeStart, headHash }: ChainRecord,
) {
  const { chain, counter } = point;
  const entry = counter === 0 ? undefined : await ledger.entry(point);
  // Nothing of it has come since this device was linked itself.
  const isHanded = entry === undefined && counter === 0 && start > 1 && placeBeforeStart > 0;
  if (entry === undefined && !isHanded) return undefined;
  const hash = entry === undefined ? headHash : entryHash(entry.head);
  return {
    head: create(KnownHeadSchema, {
      ...{ accountId, deviceId, chain: fromHex(chain), hash: hash.slice(0, HEAD_HASH_BYTES) },
      counter: entry === undefined ? start - 1 : counter,
    }),
    place: entry === undefined ? placeBeforeStart : entry.place,
  };
}

function inParts<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size));
  return parts;
}
