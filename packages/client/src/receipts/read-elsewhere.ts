import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type ChainReceiptSchema,
  fromHex,
  type ReadElsewhere,
  ReadElsewhereSchema,
  SignalSchema,
  toHex,
} from "@parley/protocol";
import { findContact, showContact } from "../contacts.ts";
import { differenceOf } from "../conversation/counter-set.ts";
import { unreadCounts } from "../conversation/history.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { ownerOf } from "../conversation/placing.ts";
import { emitAfter } from "../events.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { ownAddress, type Parts } from "../parts.ts";
import { coveredBy } from "./watermark.ts";

type ChainReceipt = MessageInitShape<typeof ChainReceiptSchema>;

/** Tells this account's other devices what was read here. */
export async function tellReadHere(
  parts: Parts & { readonly outbox: Outbox },
  ledger: Ledger,
  {
    conversation,
    chains,
  }: { readonly conversation: string; readonly chains: readonly ChainReceipt[] },
): Promise<void> {
  const { accountId } = ownAddress(parts);
  const others = await parts.device.directory.addresses(ledger.tx, accountId);
  const read = chains.filter((chain) => (chain.read ?? 0) > 0);
  if (others.length === 0 || read.length === 0) return;
  const value = create(ReadElsewhereSchema, { conversation: fromHex(conversation), chains: read });
  const signal = create(SignalSchema, { kind: { case: "readElsewhere", value } });
  await parts.outbox.put(ledger, {
    recipientAccount: fromHex(accountId),
    content: { case: "signal", value: toBinary(SignalSchema, signal) },
  });
}

/** What another own device has shown needs no showing here. */
export async function takeReadElsewhere(
  {
    directory,
    emit,
    own,
  }: Pick<Parts["device"], "directory"> &
    Pick<Parts, "emit"> & { readonly own: { readonly accountId: string } },
  ledger: Ledger,
  { conversation: id, chains }: ReadElsewhere,
): Promise<void> {
  const conversation = toHex(id);
  let isNews = false;
  for (const { chain: chainId, read, readExcept } of chains) {
    const chain = await ledger.chain(conversation, toHex(chainId));
    if (chain === undefined || ownerOf(chain).accountId === own.accountId) continue;
    const unread = differenceOf(chain.unread, coveredBy({ upTo: read, except: readExcept }));
    if (unread.length === chain.unread.length && unread.every((n, i) => n === chain.unread[i]))
      continue;
    chain.unread = [...unread];
    ledger.changed(chain);
    isNews = true;
  }
  const contact = await findContact(ledger.tx, conversation);
  if (!isNews || contact === undefined) return;
  const handle = await directory.handleOf(ledger.tx, conversation);
  ledger.flush(); // What is counted are rows.
  const unread = (await unreadCounts(ledger)).get(conversation) ?? 0;
  emitAfter(ledger.tx, emit, {
    type: "contact",
    contact: showContact(conversation, contact, { handle, unread }),
  });
}
