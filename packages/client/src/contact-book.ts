import { CryptoError, confirmsSafetyNumber, type SafetyNumber, safetyNumber } from "@parley/crypto";
import { fromHex, parseHandle } from "@parley/protocol";
import { MessengerError, type ScannedSafetyNumber, type ShownContact } from "./api.ts";
import { allContacts, findContact, newContact, putContact, showContact } from "./contacts.ts";
import { unreadCounts } from "./conversation/history.ts";
import type { Ledger } from "./conversation/ledger.ts";
import { emitAfter } from "./events.ts";
import type { ContactRecord } from "./gen/parley/store/v1/conversation_pb.ts";
import { onLedger, type Parts } from "./parts.ts";
import { forgetGivenKeys } from "./presence/given-keys.ts";
import { dropHeldKeys } from "./presence/held-keys.ts";
import { renewOwnKeys } from "./presence/own-presence.ts";
import type { Presence } from "./presence/presence.ts";
import { putAllDue } from "./receipts/due.ts";
import type { Receipts } from "./receipts/receipts.ts";
import type { Transaction } from "./store/transaction.ts";

export interface ContactBookParts {
  readonly receipts: Receipts;
  readonly presence: Pick<Presence, "shutOut">;
}

/** What this person decides about others (delivery.md 2 and 6). */
export class ContactBook {
  readonly #parts: Parts;
  readonly #receipts: Receipts;
  readonly #presence: Pick<Presence, "shutOut">;
  readonly #safetyNumbers = new Map<string, SafetyNumber>();

  constructor(parts: Parts, { receipts, presence }: ContactBookParts) {
    this.#parts = parts;
    this.#receipts = receipts;
    this.#presence = presence;
  }

  async all(): Promise<readonly ShownContact[]> {
    return await onLedger(this.#parts, async (ledger) => {
      const unread = await unreadCounts(ledger);
      const shown: ShownContact[] = [];
      for (const [accountId, record] of await allContacts(ledger.tx)) {
        const handle = await this.#handleOf(ledger.tx, accountId);
        shown.push(showContact(accountId, record, { handle, unread: unread.get(accountId) ?? 0 }));
      }
      return shown;
    });
  }

  /** The receipts of what came before go out at once. */
  async accept(accountId: string): Promise<void> {
    await onLedger(this.#parts, (ledger) => this.acceptIn(ledger, accountId));
  }

  /** Inside a transaction, as writing to somebody does. */
  async acceptIn(ledger: Ledger, accountId: string): Promise<void> {
    const record = (await findContact(ledger.tx, accountId)) ?? newContact();
    if (record.accepted && !record.blocked) return;
    await this.#put(ledger, accountId, {
      ...record,
      accepted: true,
      blocked: false,
      blockedAt: [],
    });
    await putAllDue(ledger, accountId);
    ledger.tx.afterCommit(() => this.#receipts.note(accountId));
  }

  /** What lies above the heads of its chains as of now is kept out of sight. The contact is not told. */
  async block(accountId: string): Promise<void> {
    await onLedger(this.#parts, async (ledger) => {
      const record = (await findContact(ledger.tx, accountId)) ?? newContact();
      if (record.blocked) return;
      const blockedAt: ContactRecord["blockedAt"] = [];
      for (const [id, { head, headHash }] of await ledger.chainsOf(accountId))
        blockedAt.push({
          $typeName: "parley.store.v1.ChainPoint",
          chain: fromHex(id),
          counter: head,
          hash: headHash,
        });
      await this.#put(ledger, accountId, { ...record, blocked: true, blockedAt });
      await this.#shutOut(ledger.tx, accountId);
    });
  }

  /** Nothing that it holds opens anything of this person's any more (trust.md 5 and 10). */
  async #shutOut(tx: Transaction, accountId: string): Promise<void> {
    await dropHeldKeys(tx, accountId);
    if (await forgetGivenKeys(tx, accountId)) await renewOwnKeys(tx, this.#parts.random);
    tx.afterCommit(() => this.#presence.shutOut());
  }

  async name(accountId: string, localName: string): Promise<void> {
    await this.#change(accountId, (record) => ({ ...record, localName }));
  }

  async markVerified(accountId: string, verified: boolean): Promise<void> {
    await this.#change(accountId, (record) => ({ ...record, verified }));
  }

  /** Asked of the server the first time, and pinned (trust.md 2). */
  async resolveHandle(typed: string): Promise<{ accountId: string; handle: string }> {
    const { directory, transactor } = this.#parts.device;
    const handle = handleOf(typed);
    const { account } = this.#parts.device.identity;
    if (account?.handle === handle) return { accountId: account.accountId, handle };
    const pinned = await transactor.transact((tx) => directory.pinnedAccount(tx, handle));
    if (pinned !== undefined) return { accountId: pinned, handle };
    const found = await directory.lookUpHandle(handle);
    if (found.kind === "unknown")
      throw new MessengerError("unknown-handle", "nobody has that handle");
    if (found.kind === "found") return { accountId: found.accountId, handle };
    this.#parts.emit({ type: "alarm", kind: "handle-moved", about: handle });
    return { accountId: found.pinned, handle };
  }

  async safetyNumber(accountId: string): Promise<SafetyNumber> {
    const known = this.#safetyNumbers.get(accountId);
    if (known !== undefined) return known;
    const { directory, identity, transactor } = this.#parts.device;
    const own = identity.account;
    if (own === undefined) throw new MessengerError("not-signed-up", "no account yet");
    let account = await transactor.transact((tx) => directory.account(tx, accountId));
    if (account === undefined) {
      const outcome = await directory.refresh(accountId);
      if ("account" in outcome) account = outcome.account;
    }
    if (account === undefined) throw new MessengerError("not-allowed", "no such account");
    const made = safetyNumber(
      { accountId: fromHex(own.accountId), rootKey: own.rootKey },
      { accountId: fromHex(accountId), rootKey: account.rootKey },
    );
    this.#safetyNumbers.set(accountId, made);
    return made;
  }

  async scanSafetyNumber(accountId: string, scanned: Uint8Array): Promise<ScannedSafetyNumber> {
    const shown = await this.safetyNumber(accountId);
    try {
      return confirmsSafetyNumber(shown, scanned) ? "confirmed" : "different";
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      return "unreadable";
    }
  }

  async #change(
    accountId: string,
    change: (record: ContactRecord) => ContactRecord,
  ): Promise<void> {
    await onLedger(this.#parts, async (ledger) => {
      // Whom one names or verifies, one knows: that adds him.
      const record = (await findContact(ledger.tx, accountId)) ?? {
        ...newContact(),
        accepted: true,
      };
      await this.#put(ledger, accountId, change(record));
    });
  }

  async #put(ledger: Ledger, accountId: string, record: ContactRecord): Promise<void> {
    const { tx } = ledger;
    putContact(tx, accountId, record);
    const handle = await this.#handleOf(tx, accountId);
    const unread = (await unreadCounts(ledger)).get(accountId) ?? 0;
    const contact = showContact(accountId, record, { handle, unread });
    emitAfter(tx, this.#parts.emit, { type: "contact", contact });
  }

  async #handleOf(tx: Transaction, accountId: string): Promise<string | undefined> {
    return await this.#parts.device.directory.handleOf(tx, accountId);
  }
}

/** As it is looked up and signed up. Throws MessengerError. */
export function handleOf(typed: string): string {
  const handle = parseHandle(typed);
  if (handle === undefined)
    throw new MessengerError("invalid-handle", "3–32 of a–z, 0–9, single inner . or _");
  return handle;
}
