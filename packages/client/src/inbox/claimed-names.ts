import { ProtocolError } from "@parley/protocol";
import { ConnectionLostError } from "../connection/connection-lost-error.ts";
import { contactState, findContact, showContact } from "../contacts.ts";
import { unreadCounts } from "../conversation/history.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { showEntry, type Viewer } from "../conversation/shown.ts";
import { onLedger, type Parts } from "../parts.ts";
import type { InboxBatch } from "./batch.ts";

/**
 * A stranger's message says what he is called. That is looked up before it is shown: only a handle that names
 * his account is his. The messages are told afterwards, so that they come with the name.
 */
export class ClaimedNames {
  readonly #parts: Parts & { viewer(): Viewer };
  /** Asked once for each account and run: a liar costs no more. */
  readonly #asked = new Set<string>();

  constructor(parts: Parts & { viewer(): Viewer }) {
    this.#parts = parts;
  }

  /** Network. After the commit of the batch. */
  async lookUp({ claims, unnamed }: InboxBatch): Promise<void> {
    const found: string[] = [];
    for (const [accountId, handle] of claims)
      if (!this.#asked.has(accountId) && (await this.#isHis(accountId, handle)))
        found.push(accountId);
    const { emit } = this.#parts;
    await onLedger(this.#parts, async (ledger) => {
      for (const accountId of found) await this.#tellContact(ledger, accountId);
      for (const point of unnamed) {
        const message = await showEntry(ledger, this.#parts.viewer(), point);
        if (message !== undefined) ledger.tx.afterCommit(() => emit({ type: "message", message }));
      }
    });
  }

  async #isHis(accountId: string, handle: string): Promise<boolean> {
    try {
      const found = await this.#parts.device.directory.lookUpHandle(handle);
      this.#asked.add(accountId);
      return found.kind === "found" && found.accountId === accountId;
    } catch (cause) {
      if (!(cause instanceof ConnectionLostError || cause instanceof ProtocolError)) throw cause;
      return false; // The next message says it again.
    }
  }

  async #tellContact(ledger: Ledger, accountId: string): Promise<void> {
    const { tx } = ledger;
    const record = await findContact(tx, accountId);
    if (record === undefined || contactState(record) === "blocked") return;
    const handle = await this.#parts.device.directory.handleOf(tx, accountId);
    const unread = (await unreadCounts(ledger)).get(accountId) ?? 0;
    const contact = showContact(accountId, record, { handle, unread });
    tx.afterCommit(() => this.#parts.emit({ type: "contact", contact }));
  }
}
