import type { AccountHead } from "@parley/protocol";
import { contactState, findContact, newContact, putContact, showContact } from "../contacts.ts";
import type { EntryPoint } from "../conversation/keys.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { showEntry, type Viewer } from "../conversation/shown.ts";
import { type Emit, emitAfter } from "../events.ts";
import type { ContactRecord } from "../gen/parley/store/v1/conversation_pb.ts";
import { putAllDue, putDue } from "../receipts/due.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transaction.ts";

/** Heads of account chains that a wrapper quoted and that need a look (trust.md 3). */
export interface QuotedHeads {
  readonly from: DeviceAddress;
  readonly sender: AccountHead | undefined;
  readonly own: AccountHead | undefined;
}

/** What one transaction of the inbox gathers, over all envelopes of its batch. */
export class InboxBatch {
  readonly ledger: Ledger;
  readonly nowMs: number;
  /** Conversations of whose chains something changed, by the device that it came from. */
  readonly touched = new Map<string, DeviceAddress>();
  readonly quoted: QuotedHeads[] = [];
  /** Accounts to which receipts are due now. */
  readonly due = new Set<string>();
  /** What strangers say that they are called, by account. */
  readonly claims = new Map<string, string>();
  /** Messages of theirs, to be told once that is looked up. */
  readonly unnamed: EntryPoint[] = [];
  readonly #emit: Emit;
  readonly #contacts = new Map<string, ContactRecord>();
  readonly #shown: EntryPoint[] = [];

  constructor(ledger: Ledger, emit: Emit, nowMs: number) {
    this.ledger = ledger;
    this.#emit = emit;
    this.nowMs = nowMs;
  }

  get tx(): Transaction {
    return this.ledger.tx;
  }

  /** Whoever writes for the first time becomes a request. */
  async contact(accountId: string): Promise<ContactRecord> {
    const known = this.#contacts.get(accountId);
    if (known !== undefined) return known;
    let contact = await findContact(this.tx, accountId);
    if (contact === undefined) {
      contact = newContact();
      putContact(this.tx, accountId, contact);
      const shown = showContact(accountId, contact, { handle: undefined, unread: 0 });
      emitAfter(this.tx, this.#emit, { type: "contact", contact: shown });
    }
    this.#contacts.set(accountId, contact);
    return contact;
  }

  async isAccepted(accountId: string): Promise<boolean> {
    const contact = this.#contacts.get(accountId) ?? (await findContact(this.tx, accountId));
    return contact !== undefined && contactState(contact) === "accepted";
  }

  /** Never to strangers (delivery.md 6). */
  async receiptDue(accountId: string, chain: string): Promise<void> {
    if (!(await this.isAccepted(accountId))) return;
    putDue(this.tx, accountId, chain);
    this.due.add(accountId);
  }

  /** The sender lacks our receipt: it repeats itself. */
  async receiptsDueAgain({ accountId, deviceId }: DeviceAddress): Promise<void> {
    if (!(await this.isAccepted(accountId))) return;
    await putAllDue(this.ledger, accountId, deviceId);
    this.due.add(accountId);
  }

  touch(from: DeviceAddress): void {
    this.touched.set(`${from.accountId}/${from.deviceId}`, from);
  }

  show(point: EntryPoint): void {
    this.#shown.push(point);
  }

  alarm(kind: "chain-forked" | "false-list", about: string): void {
    emitAfter(this.tx, this.#emit, { type: "alarm", kind, about });
  }

  /** Last, before the flush: each message that is new here, exactly once. */
  async tellShown(viewer: Viewer): Promise<void> {
    for (const point of this.#shown) {
      const message = await showEntry(this.ledger, viewer, point);
      if (message === undefined) continue;
      if (message.from.handle === undefined && this.claims.has(message.from.accountId))
        this.unnamed.push(point);
      else emitAfter(this.tx, this.#emit, { type: "message", message });
    }
  }
}
