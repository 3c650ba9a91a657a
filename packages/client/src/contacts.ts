import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ShownContact } from "./api.ts";
import { under } from "./conversation/keys.ts";
import { type ContactRecord, ContactRecordSchema } from "./gen/parley/store/v1/conversation_pb.ts";
import type { Transaction } from "./store/transaction.ts";

/** Beside the pins of the directory, in the same table. */
const PREFIX = "contact/";

/** What this person has decided about an account. No record: nobody has met yet. */
export async function findContact(
  tx: Transaction,
  accountId: string,
): Promise<ContactRecord | undefined> {
  const row = await tx.get("vault-contacts", PREFIX + accountId);
  return row && fromBinary(ContactRecordSchema, row);
}

export async function isAcceptedContact(tx: Transaction, accountId: string): Promise<boolean> {
  const contact = await findContact(tx, accountId);
  return contact !== undefined && contactState(contact) === "accepted";
}

export function putContact(tx: Transaction, accountId: string, record: ContactRecord): void {
  tx.put("vault-contacts", PREFIX + accountId, toBinary(ContactRecordSchema, record));
}

export function newContact(): ContactRecord {
  return create(ContactRecordSchema);
}

export async function allContacts(tx: Transaction): Promise<Map<string, ContactRecord>> {
  const rows = await tx.range("vault-contacts", under(PREFIX));
  return new Map(
    rows.map(({ key, value }) => [
      key.slice(PREFIX.length),
      fromBinary(ContactRecordSchema, value),
    ]),
  );
}

export function contactState({ blocked, accepted }: ContactRecord): ShownContact["state"] {
  if (blocked) return "blocked";
  return accepted ? "accepted" : "request";
}

export function showContact(
  accountId: string,
  record: ContactRecord,
  { handle, unread }: { readonly handle: string | undefined; readonly unread: number },
): ShownContact {
  return {
    accountId,
    handle,
    localName: record.localName === "" ? undefined : record.localName,
    state: contactState(record),
    trust: record.verified ? "verified" : record.fromLink ? "from-link" : "unverified",
    unread,
  };
}
