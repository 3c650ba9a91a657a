import { fromBinary } from "@bufbuild/protobuf";
import {
  type ChainStart,
  type Content,
  ContentSchema,
  equalBytes,
  parseHandle,
  type Signal,
  toHex,
  validate,
} from "@parley/protocol";
import { contactState, findContact } from "../contacts.ts";
import { belongsTo, newChain, noteTold } from "../conversation/chain.ts";
import { entryHash } from "../conversation/entry.ts";
import { answerHoles } from "../holes/answer-holes.ts";
import { takeAnswer } from "../holes/take-answer.ts";
import { takeHandOver } from "../linking/take-hand-over.ts";
import { holdKeys } from "../presence/held-keys.ts";
import { applyReceipt } from "../receipts/apply-receipt.ts";
import { putAllDue } from "../receipts/due.ts";
import { takeReadElsewhere } from "../receipts/read-elsewhere.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { InboxBatch } from "./batch.ts";
import { type Taking, takeReceived } from "./take-received.ts";

/** Undefined where the bytes are no Content. */
export function openContent(bytes: Uint8Array): Content | undefined {
  try {
    const content = fromBinary(ContentSchema, bytes);
    validate(ContentSchema, content, "client");
    return content;
  } catch {
    return undefined;
  }
}

/** Does what one decrypted content says. */
export async function takeContent(
  taking: Taking,
  batch: InboxBatch,
  from: DeviceAddress,
  content: Content,
): Promise<void> {
  await lookAtHeads(taking, batch, from, content);
  batch.touch(from);
  taking.outbox.heard(batch.tx, from);
  if (content.senderHandle !== "") await takeClaim(taking, batch, from, content.senderHandle);
  await takeKeys(taking, batch, from, content);
  const { class: kind } = content;
  if (kind.case === "entry") {
    const heads = { sender: content.senderHead, recipient: content.recipientHead };
    const { entry, chain } = { entry: kind.value, chain: content.chain };
    await takeReceived(taking, batch, { from, author: from, entry, chain, heads });
  } else if (kind.case === "signal") {
    if (content.chain !== undefined) await takeTold(taking, batch, from, content.chain);
    await takeSignal(taking, batch, from, kind.value);
  }
}

/** Of strangers too: should they be let in, their keys are here. Of a blocked account nothing is held. */
async function takeKeys(
  { own, keysHeld }: Taking,
  { tx }: InboxBatch,
  from: DeviceAddress,
  content: Content,
): Promise<void> {
  const { liveKey, profileKey, contactKey } = content;
  const carriesSome = liveKey !== undefined || profileKey !== undefined || contactKey !== undefined;
  if (!carriesSome || from.accountId === own.accountId) return;
  const contact = await findContact(tx, from.accountId);
  if (contact !== undefined && contactState(contact) === "blocked") return;
  if (await holdKeys(tx, from, content)) tx.afterCommit(() => keysHeld(from.accountId));
}

/** What somebody says that he is called, of whom no handle is known. */
async function takeClaim(
  { directory, own }: Taking,
  { tx, claims }: InboxBatch,
  { accountId }: DeviceAddress,
  typed: string,
): Promise<void> {
  const handle = parseHandle(typed);
  if (handle === undefined || accountId === own.accountId) return;
  if ((await directory.handleOf(tx, accountId)) === undefined) claims.set(accountId, handle);
}

/** A head that is not known here is fetched and compared, after the commit (trust.md 3). */
async function lookAtHeads(
  { directory, own }: Taking,
  batch: InboxBatch,
  from: DeviceAddress,
  { senderHead, recipientHead }: Content,
): Promise<void> {
  const strange = async (accountId: string, head: typeof senderHead) => {
    if (head === undefined) return undefined;
    const standing = await directory.standingOf(batch.tx, accountId, head);
    return standing === "newer" || standing === "contradicts" ? head : undefined;
  };
  const sender = await strange(from.accountId, senderHead);
  const quotedOwn = await strange(own.accountId, recipientHead);
  if (sender !== undefined || quotedOwn !== undefined)
    batch.quoted.push({ from, sender, own: quotedOwn });
}

/** How far the sender's chain goes: a missing tail shows. */
async function takeTold(
  { own }: Taking,
  batch: InboxBatch,
  from: DeviceAddress,
  told: ChainStart,
): Promise<void> {
  if (from.accountId === own.accountId || told.headCounter === 0) return;
  const { ledger } = batch;
  const conversation = from.accountId;
  const id = toHex(told.chain);
  const chain = (await ledger.chain(conversation, id)) ?? newChain(from, told.start);
  if (!belongsTo(chain, from)) return;
  const entry = await ledger.entry({ conversation, chain: id, counter: told.headCounter });
  if (entry !== undefined && !equalBytes(entryHash(entry.head), told.headHash))
    return batch.alarm("chain-forked", from.accountId);
  if (noteTold(chain, told.headCounter)) ledger.addChain(conversation, id, chain);
}

/** From another device of this account. */
async function takeOwnSignal(
  taking: Taking,
  { ledger }: InboxBatch,
  kind: Signal["kind"],
): Promise<void> {
  if (kind.case === "readElsewhere") return await takeReadElsewhere(taking, ledger, kind.value);
  if (kind.case !== "handOver") return;
  if (await takeHandOver(taking, ledger, kind.value))
    ledger.tx.afterCommit(() => taking.handedOver());
}

async function takeSignal(
  taking: Taking,
  batch: InboxBatch,
  from: DeviceAddress,
  { kind }: Signal,
): Promise<void> {
  const { ledger } = batch;
  const { own, emit, outbox } = taking;
  if (from.accountId === own.accountId) return await takeOwnSignal(taking, batch, kind);
  switch (kind.case) {
    case "receipt":
      return await applyReceipt({ ownAccountId: own.accountId, emit }, ledger, {
        from,
        receipt: kind.value,
      });
    case "holeRequest":
      if (!(await batch.isAccepted(from.accountId))) return;
      if (kind.value.ranges.length === 0) {
        await putAllDue(ledger, from.accountId);
        batch.due.add(from.accountId);
      }
      return await answerHoles({ own, outbox }, batch, { from, request: kind.value });
    case "holeAnswer":
      return await takeAnswer(taking, batch, { from, answer: kind.value });
    case "falseList":
      outbox.hold(from.accountId);
      return;
    default:
      return; // Of a kind that this client does not know: safe to lose.
  }
}
