import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type ChainReceiptSchema,
  fromHex,
  ReceiptSchema,
  SignalSchema,
  toHex,
} from "@parley/protocol";
import { contactState, findContact } from "../contacts.ts";
import { entryHash } from "../conversation/entry.ts";
import type { Ledger } from "../conversation/ledger.ts";
import type { ChainRecord } from "../gen/parley/store/v1/conversation_pb.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { onLedger, type Parts } from "../parts.ts";
import { dueAccounts, takeDue } from "./due.ts";
import { tellReadHere } from "./read-elsewhere.ts";
import { receiptOf } from "./watermark.ts";

/** At most one receipt a contact in this time (delivery.md 6). */
export const RECEIPT_INTERVAL_MS = 500;
/** Of one receipt, by the schema. */
const CHAINS_MAX = 64;

/**
 * Sends receipts: after the commit that received, when no mail is coming in, at most one in 500 ms a contact.
 * What is due stands in rows, so a restart forgets none.
 */
export class Receipts {
  readonly #parts: Parts;
  readonly #outbox: Outbox;
  readonly #due = new Set<string>();
  /** Accounts that got one a moment ago. Timers, because clocks jump. */
  readonly #resting = new Map<string, () => void>();
  /** By chain. In memory: after a restart it is told once more. */
  readonly #toldRead = new Map<string, string>();
  #isIdle = false;
  #cancel: () => void = () => {};

  constructor(parts: Parts, outbox: Outbox) {
    this.#parts = parts;
    this.#outbox = outbox;
  }

  async load(): Promise<void> {
    const found = await this.#parts.device.transactor.transact(dueAccounts);
    for (const account of found) this.#due.add(account);
  }

  /** After the commit that put rows for it. */
  note(account: string): void {
    this.#due.add(account);
    if (this.#isIdle) this.#schedule();
  }

  /** Drained, and no batch is being handled. */
  idle(): void {
    this.#isIdle = true;
    this.#schedule();
  }

  busy(): void {
    this.#isIdle = false;
    this.#cancel();
  }

  /** Everything that is due, now: the program ends. */
  async sendAll(): Promise<void> {
    if (!this.#isIdle) return;
    for (const account of [...this.#due])
      await onLedger(this.#parts, (ledger) => this.#sendTo(ledger, account));
    this.#due.clear();
  }

  close(): void {
    this.busy();
    for (const cancel of this.#resting.values()) cancel();
  }

  #schedule(): void {
    this.#cancel();
    if (this.#due.size === 0) return;
    this.#cancel = this.#parts.clock.after(0, () => {
      this.#sendDue().catch((cause: unknown) => this.#parts.fatal(cause));
    });
  }

  async #sendDue(): Promise<void> {
    for (const account of [...this.#due]) {
      if (!this.#isIdle) return;
      if (this.#resting.has(account)) continue;
      this.#rest(account);
      // One that is still under way is not overtaken: the next says more.
      if (this.#outbox.hasReceiptWaiting(account)) continue;
      this.#due.delete(account);
      const rest = await onLedger(this.#parts, (ledger) => this.#sendTo(ledger, account));
      if (rest) this.#due.add(account);
    }
  }

  #rest(account: string): void {
    const cancel = this.#parts.clock.after(RECEIPT_INTERVAL_MS, () => {
      this.#resting.delete(account);
      if (this.#isIdle && this.#due.has(account)) this.#schedule();
    });
    this.#resting.set(account, cancel);
  }

  /** True where more is due than one receipt holds. */
  async #sendTo(ledger: Ledger, account: string): Promise<boolean> {
    const ids = await takeDue(ledger.tx, account, CHAINS_MAX);
    const contact = await findContact(ledger.tx, account);
    // Never to strangers, and a block is not told.
    if (contact === undefined || contactState(contact) !== "accepted") return false;
    const chains: ChainReceipt[] = [];
    for (const id of ids) {
      const chain = await ledger.chain(account, id);
      if (chain !== undefined && toHex(chain.accountId) === account)
        chains.push(await chainReceipt(ledger, { account, id, chain }));
    }
    if (chains.length === 0) return false;
    const receipt = create(ReceiptSchema, { chains });
    const signal = create(SignalSchema, { kind: { case: "receipt", value: receipt } });
    await this.#outbox.put(ledger, {
      recipientAccount: fromHex(account),
      content: { case: "signal", value: toBinary(SignalSchema, signal) },
      receiptChains: ids.map(fromHex),
    });
    await this.#tellOthers(ledger, account, chains);
    return ids.length === CHAINS_MAX;
  }

  /** This account's other devices, of what is read now and was not when they were told last. */
  async #tellOthers(
    ledger: Ledger,
    account: string,
    chains: readonly ChainReceipt[],
  ): Promise<void> {
    const moved = chains.filter(({ chain, read, readExcept = [] }) => {
      const name = `${account}/${toHex(chain as Uint8Array)}`;
      const says = `${read} ${readExcept.join(" ")}`;
      const isNews = this.#toldRead.get(name) !== says;
      this.#toldRead.set(name, says);
      return isNews;
    });
    const parts = { ...this.#parts, outbox: this.#outbox };
    await tellReadHere(parts, ledger, { conversation: account, chains: moved });
  }
}

type ChainReceipt = MessageInitShape<typeof ChainReceiptSchema>;

interface ReceivedIn {
  readonly account: string;
  readonly id: string;
  readonly chain: ChainRecord;
}

async function chainReceipt(
  ledger: Ledger,
  { account, id, chain }: ReceivedIn,
): Promise<ChainReceipt> {
  const { delivered, read } = receiptOf({ ...chain, showsRead: true });
  const entry = await ledger.entry({ conversation: account, chain: id, counter: delivered.upTo });
  return {
    chain: fromHex(id),
    delivered: delivered.upTo,
    deliveredExcept: [...delivered.except],
    read: read.upTo,
    readExcept: [...read.except],
    deliveredHash: entry === undefined ? new Uint8Array() : entryHash(entry.head),
  };
}
