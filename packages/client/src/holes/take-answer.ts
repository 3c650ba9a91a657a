import { type AnsweredEntry, type HoleAnswer, type KnownHead, toHex } from "@parley/protocol";
import { belongsTo, heldAbove, newChain, noteSettled, noteTold } from "../conversation/chain.ts";
import type { EntryPoint } from "../conversation/keys.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { placeEntries } from "../conversation/placing.ts";
import type { InboxBatch } from "../inbox/batch.ts";
import { type Taking, takeReceived } from "../inbox/take-received.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { findHole, putHole } from "./hole-row.ts";

/** What a contact's device answers to a request of ours: entries that fill holes, and heads of chains. */
export async function takeAnswer(
  taking: Taking,
  batch: InboxBatch,
  { from, answer }: { readonly from: DeviceAddress; readonly answer: HoleAnswer },
): Promise<void> {
  const record = await findHole(batch.tx, from);
  if (record === undefined || record.request !== answer.number) return; // Asked of nobody, or long ago.
  for (const head of answer.heads) await takeHead(taking, batch, { from, head });
  for (const answered of answer.entries) await takeAnswered(taking, batch, { from, answered });
  if (answer.more) return;
  putHole(batch.tx, from, {
    ...record,
    // What the envelopes held is named by now, as counters that are missing, or was safe to lose.
    ...(record.askWhole || record.undecryptable > 0 ? { undecryptable: 0, askWhole: false } : {}),
    request: 0,
    askAtMs: answer.entries.some(isNotHere) ? record.askAtMs : 0n,
  });
}

const isNotHere = ({ state }: AnsweredEntry) => state.case === "notHere";

async function takeHead(
  { own }: Taking,
  { ledger }: InboxBatch,
  { from, head }: { readonly from: DeviceAddress; readonly head: KnownHead },
): Promise<void> {
  const author = { accountId: toHex(head.accountId), deviceId: head.deviceId };
  const conversation = from.accountId;
  if (head.counter === 0 || !isParty(author, from, own)) return;
  const id = toHex(head.chain);
  // How far the chain goes that this device writes, only this device says.
  if (toHex((await ledger.conversation(conversation)).ownChain) === id) return;
  const chain = (await ledger.chain(conversation, id)) ?? newChain(author, 1);
  if (belongsTo(chain, author) && noteTold(chain, head.counter))
    ledger.addChain(conversation, id, chain);
}

async function takeAnswered(
  taking: Taking,
  batch: InboxBatch,
  { from, answered }: { readonly from: DeviceAddress; readonly answered: AnsweredEntry },
): Promise<void> {
  const { own } = taking;
  const { state, counter, acceptedUnder } = answered;
  const author = { accountId: toHex(answered.accountId), deviceId: answered.deviceId };
  const point = { conversation: from.accountId, chain: toHex(answered.chain), counter };
  if (!isParty(author, from, own)) return;
  if (state.case === "tooOld" || state.case === "notYours") return await settle(batch, point);
  if (state.case !== "entry") return;
  const isAuthor = author.accountId === from.accountId && author.deviceId === from.deviceId;
  if (!isAuthor && !(await isLinked(batch.ledger, point))) return;
  const heads = {
    sender: acceptedUnder?.senderHead,
    recipient: acceptedUnder?.recipientHead,
  };
  await takeReceived(taking, batch, { from, author, entry: state.value, chain: undefined, heads });
}

/** Only the two accounts of the conversation have chains in it. */
function isParty(author: DeviceAddress, from: DeviceAddress, own: DeviceAddress): boolean {
  return author.accountId === from.accountId || author.accountId === own.accountId;
}

/** Whoever is not its author is believed where the hashes link to what is here (delivery.md 2). */
async function isLinked(ledger: Ledger, point: EntryPoint): Promise<boolean> {
  const neighbours = [point.counter - 1, point.counter + 1];
  for (const counter of neighbours)
    if ((await ledger.entry({ ...point, counter })) !== undefined) return true;
  return false;
}

async function settle({ ledger, nowMs }: InboxBatch, point: EntryPoint): Promise<void> {
  const chain = await ledger.chain(point.conversation, point.chain);
  if (chain === undefined || !noteSettled(chain, point.counter)) return;
  ledger.changed(chain);
  const above = heldAbove(chain, point.counter);
  if (above > 0) await placeEntries(ledger, [{ ...point, counter: above }], nowMs);
}
