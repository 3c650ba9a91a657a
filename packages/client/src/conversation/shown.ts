import { type EntryBody, toHex } from "@parley/protocol";
import type { MessageStatus, ShownMessage } from "../api.ts";
import { contactState, findContact } from "../contacts.ts";
import type { UnsentEntry } from "../gen/parley/store/v1/conversation_pb.ts";
import { statusOf } from "../receipts/watermark.ts";
import type { Transaction } from "../store/transaction.ts";
import { hasCounter } from "./counter-set.ts";
import { openBody } from "./entry.ts";
import { decodePoint } from "./entry-ref.ts";
import { type EntryPoint, messageKey, screenKey } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { screenPointOf } from "./loose.ts";
import { ownerOf } from "./placing.ts";

/** What showing needs to know beside the rows. */
export interface Viewer {
  readonly accountId: string;
  readonly handle: string;
  handleOf(tx: Transaction, accountId: string): Promise<string | undefined>;
}

/** Undefined where the entry is not here or shows nothing. */
export async function showEntry(
  ledger: Ledger,
  viewer: Viewer,
  point: EntryPoint,
): Promise<ShownMessage | undefined> {
  const entry = await ledger.entry(point);
  const chain = await ledger.chain(point.conversation, point.chain);
  if (entry === undefined || chain === undefined || entry.hidden.case !== undefined)
    return undefined;
  const { accountId } = ownerOf(chain);
  const mine = accountId === viewer.accountId;
  const body = openBody(entry.body);
  return {
    messageId: toHex(body.messageId),
    conversation: point.conversation,
    from: { accountId, handle: await handleFor(ledger.tx, viewer, accountId), mine },
    content: await contentOf(ledger, body, point),
    sentAtMs: Number(body.sentAtMs),
    status: mine ? statusOf(chain, point.counter) : undefined,
    failure: undefined,
    request: !mine && (await isRequest(ledger.tx, point.conversation)),
    read: mine || !hasCounter(chain.unread, point.counter),
  };
}

/** Typed, and no entry yet; or definitely refused. */
export function showUnsent(
  { conversation, messageId, body: bytes, failure }: UnsentEntry,
  { accountId, handle }: Viewer,
): ShownMessage {
  const body = openBody(bytes);
  const status: MessageStatus = failure === "" ? "queued" : "failed";
  const replyTo = body.kind.case === "text" ? body.kind.value.replyTo : undefined;
  return {
    messageId: toHex(messageId),
    conversation: toHex(conversation),
    from: { accountId, handle, mine: true },
    content: simpleContent(body, replyTo && toHex(replyTo.messageId)),
    sentAtMs: Number(body.sentAtMs),
    status,
    failure: failure === "" ? undefined : failure,
    request: false,
    read: true,
  };
}

async function handleFor(
  tx: Transaction,
  viewer: Viewer,
  accountId: string,
): Promise<string | undefined> {
  return accountId === viewer.accountId ? viewer.handle : await viewer.handleOf(tx, accountId);
}

async function isRequest(tx: Transaction, accountId: string): Promise<boolean> {
  const contact = await findContact(tx, accountId);
  return contact === undefined || contactState(contact) === "request";
}

/** A reply that does not sort after its parent is shown without its link (delivery.md 2). */
async function contentOf(
  ledger: Ledger,
  body: EntryBody,
  point: EntryPoint,
): Promise<ShownMessage["content"]> {
  const replyTo = body.kind.case === "text" ? body.kind.value.replyTo : undefined;
  if (replyTo === undefined) return simpleContent(body, undefined);
  const key = messageKey(toHex(replyTo.messageId), toHex(replyTo.accountId));
  const row = await ledger.tx.get("messages", key);
  const parent = row && (await screenPointOf(ledger, decodePoint(row)));
  const own = await screenPointOf(ledger, point);
  const isAfter = parent !== undefined && own !== undefined && screenKey(parent) < screenKey(own);
  return simpleContent(body, isAfter ? toHex(replyTo.messageId) : undefined);
}

function simpleContent(body: EntryBody, replyTo: string | undefined): ShownMessage["content"] {
  return body.kind.case === "text"
    ? { kind: "text", text: body.kind.value.text, replyTo }
    : { kind: "unknown" };
}
