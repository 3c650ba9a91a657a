import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type ChainRecord,
  ChainRecordSchema,
  type ConversationRecord,
  ConversationRecordSchema,
  type StoredEntry,
  StoredEntrySchema,
} from "../gen/parley/store/v1/conversation_pb.ts";
import type { Transaction } from "../store/transaction.ts";
import { chainKey, type EntryPoint, entryKey, under } from "./keys.ts";

/**
 * The rows of conversations that one piece of work touches: read once, changed in place, and written back by
 * `flush`. Whoever changes a record marks it with `changed`.
 */
export class Ledger {
  readonly tx: Transaction;
  readonly #chains = new Map<string, ChainRecord | undefined>();
  readonly #entries = new Map<string, StoredEntry | undefined>();
  readonly #conversations = new Map<string, ConversationRecord>();
  readonly #dirty = new Set<unknown>();

  constructor(tx: Transaction) {
    this.tx = tx;
  }

  async chain(conversation: string, chain: string): Promise<ChainRecord | undefined> {
    const key = chainKey(conversation, chain);
    if (!this.#chains.has(key)) {
      const row = await this.tx.get("chains", key);
      this.#chains.set(key, row && fromBinary(ChainRecordSchema, row));
    }
    return this.#chains.get(key);
  }

  async entry(point: EntryPoint): Promise<StoredEntry | undefined> {
    const key = entryKey(point);
    if (!this.#entries.has(key)) {
      const row = await this.tx.get("entries", key);
      this.#entries.set(key, row && fromBinary(StoredEntrySchema, row));
    }
    return this.#entries.get(key);
  }

  async conversation(conversation: string): Promise<ConversationRecord> {
    let record = this.#conversations.get(conversation);
    if (record === undefined) {
      const row = await this.tx.get("conversations", conversation);
      record =
        row === undefined
          ? create(ConversationRecordSchema)
          : fromBinary(ConversationRecordSchema, row);
      this.#conversations.set(conversation, record);
    }
    return record;
  }

  /** All that have a chain. */
  async conversations(): Promise<readonly string[]> {
    const keys = [
      ...(await this.tx.range("chains", {})).map(({ key }) => key),
      ...this.#chains.keys(),
    ];
    return [...new Set(keys.map((key) => key.slice(0, key.indexOf("/"))))];
  }

  /** Every chain of the conversation, by its id. */
  async chainsOf(conversation: string): Promise<Map<string, ChainRecord>> {
    const prefix = `${conversation}/`;
    for (const { key, value } of await this.tx.range("chains", under(prefix)))
      if (!this.#chains.has(key)) this.#chains.set(key, fromBinary(ChainRecordSchema, value));
    const found = new Map<string, ChainRecord>();
    for (const [key, record] of this.#chains)
      if (record !== undefined && key.startsWith(prefix))
        found.set(key.slice(prefix.length), record);
    return found;
  }

  addChain(conversation: string, chain: string, record: ChainRecord): void {
    this.#chains.set(chainKey(conversation, chain), record);
    this.changed(record);
  }

  addEntry(point: EntryPoint, record: StoredEntry): void {
    this.#entries.set(entryKey(point), record);
    this.changed(record);
  }

  removeEntry(point: EntryPoint): void {
    this.#entries.set(entryKey(point), undefined);
    this.tx.delete("entries", entryKey(point));
  }

  changed(record: ChainRecord | StoredEntry | ConversationRecord): void {
    this.#dirty.add(record);
  }

  /** Once, at the end of the work. */
  flush(): void {
    for (const [key, record] of this.#chains)
      if (record && this.#dirty.has(record))
        this.tx.put("chains", key, toBinary(ChainRecordSchema, record));
    for (const [key, record] of this.#entries)
      if (record && this.#dirty.has(record))
        this.tx.put("entries", key, toBinary(StoredEntrySchema, record));
    for (const [key, record] of this.#conversations)
      if (this.#dirty.has(record))
        this.tx.put("conversations", key, toBinary(ConversationRecordSchema, record));
    this.#dirty.clear();
  }
}
