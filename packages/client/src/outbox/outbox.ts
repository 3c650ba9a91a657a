import { fromBinary } from "@bufbuild/protobuf";
import type { Kept } from "@parley/crypto";
import {
  type SendMessageRequest,
  SendMessageRequestSchema,
  toHex,
  type Welcome,
} from "@parley/protocol";
import type { Ledger } from "../conversation/ledger.ts";
import type { OutboxItem } from "../gen/parley/store/v1/conversation_pb.ts";
import {
  ACCOUNT_GONE_AFTER_MS,
  onLedger,
  type Parts,
  PREPARE_AGAIN_MS,
  sealingOf,
} from "../parts.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { NoSessionError } from "../sessions/sessions.ts";
import type { Transaction } from "../store/transaction.ts";
import { Allowance } from "./allowance.ts";
import { HeldBack } from "./held-back.ts";
import { type Lane, Lanes, type Sending } from "./lane.ts";
import { makeEntries, type Typed } from "./make-entries.ts";
import { allItems, newItem, putItem, sendKey, sequenceOfSend } from "./outbox-row.ts";
import { prepareLane } from "./preparation.ts";
import { type Sealing, sealItem } from "./seal-item.ts";
import { Sender, unsealAll } from "./sender.ts";
import { refuseTyped } from "./settle-item.ts";
import { SkippedDevices } from "./skipped-devices.ts";
import { allUnsent, newUnsent, putUnsent, sequenceOfUnsent, unsentKey } from "./unsent.ts";

/** Latency must not bound throughput: so many sends are under way at once. The server takes 128 requests. */
const IN_FLIGHT_MAX = 64;
/** Of one transaction (delivery.md 9). */
const BATCH_MAX = 16;

/** One send to put into the queue, inside a transaction. */
export type Outgoing = Parameters<typeof newItem>[0] & { readonly recipientAccount: Uint8Array };

/**
 * What this device sends: saved when typed, made into entries when connected and drained, sent with several
 * under way, repeated with the same bytes until accepted (delivery.md 2 and 3). One lane for each account
 * keeps the order of the mailbox that of the chain.
 */
export class Outbox {
  readonly #parts: Parts;
  readonly #lanes: Lanes;
  readonly #sender: Sender;
  readonly #allowance: Allowance;
  readonly #skipped = new SkippedDevices();
  /** By message id, in the order of typing. */
  readonly #typed = new Map<string, Typed>();
  #nextTyped = 1;
  #nextSend = 1;
  #connected = false;
  #connectionNumber = 0;
  /** Drained, or 5 s after connecting: what is written now sorts below what has been read. */
  #mayMake = false;
  #inFlight = 0;
  #pumping: Promise<void> | undefined;
  #again = false;
  readonly #quietWaiters: (() => void)[] = [];
  readonly #heldBack: HeldBack;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#lanes = new Lanes(parts.clock);
    this.#heldBack = new HeldBack(parts.clock);
    const wake = () => this.wake();
    this.#allowance = new Allowance({ clock: parts.clock, inFlightMax: IN_FLIGHT_MAX, wake });
    const { allowance, skipped } = { allowance: this.#allowance, skipped: this.#skipped };
    this.#sender = new Sender(parts, this.#lanes, { allowance, skipped, wake });
  }

  /** Once, before anything else: what the store holds goes on where it stopped. */
  async load(): Promise<void> {
    await this.#parts.device.transactor.transact(async (tx) => {
      await this.#skipped.load(tx);
      const rows = await allItems(tx);
      for (const { key, item } of rows) {
        this.#nextSend = sequenceOfSend(key) + 1;
        this.#enqueue(key, item);
      }
      const made = new Set(rows.map(({ item }) => item.unsentKey));
      for (const { key, entry } of await allUnsent(tx)) {
        this.#nextTyped = sequenceOfUnsent(key) + 1;
        if (entry.failure !== "" || made.has(key)) continue;
        // The vault outlived a main store that held the entry: it is made anew.
        if (entry.head.length > 0) putUnsent(tx, key, { ...entry, head: new Uint8Array() });
        this.#addTyped(key, entry);
      }
    });
  }

  /** Inside a transaction: from its commit on the message is not lost. */
  saveTyped(tx: Transaction, fields: Parameters<typeof newUnsent>[0]): void {
    const key = unsentKey(this.#nextTyped++);
    putUnsent(tx, key, newUnsent(fields));
    tx.afterCommit(() => {
      this.#addTyped(key, fields);
      this.wake();
    });
  }

  /** Typed, saved, and no entry yet. */
  isTyped(messageId: string): boolean {
    return this.#typed.has(messageId);
  }

  /** Inside a transaction. Encrypted at once where that is possible; held back for that long. */
  async put(ledger: Ledger, fields: Outgoing, afterMs = 0): Promise<void> {
    const { tx } = ledger;
    const key = sendKey(this.#nextSend++);
    const item = newItem(fields);
    const request = afterMs === 0 ? await this.#trySeal(ledger, item) : undefined;
    putItem(tx, key, item);
    tx.afterCommit(() => {
      const sending = this.#enqueue(key, item, request?.released);
      if (afterMs > 0) this.#heldBack.hold(sending, afterMs, () => this.wake());
      this.wake();
    });
  }

  /** Resolves when nothing is left that could go now, or the connection is gone. */
  async quiet(): Promise<void> {
    while (this.#connected && this.#isBusy())
      await new Promise<void>((resolve) => this.#quietWaiters.push(resolve));
  }

  /** Resolves once the server has accepted everything for this account. */
  async emptied(account: string): Promise<void> {
    while (this.#lanes.of(account).sendings.length > 0)
      await new Promise<void>((resolve) => this.#quietWaiters.push(resolve));
  }

  connected({ limits }: Pick<Welcome, "limits">): void {
    this.#allowance.welcomed(limits?.durableSendsPerMinute ?? 0);
    this.#connected = true;
    this.#connectionNumber += 1;
    for (const lane of this.#lanes) lane.endRest();
    this.wake();
  }

  mayMakeEntries(): void {
    this.#mayMake = this.#connected;
    this.wake();
  }

  disconnected(): void {
    this.#connected = false;
    this.#mayMake = false;
    this.#tellQuiet();
  }

  close(): void {
    this.disconnected();
    this.#allowance.close();
    for (const lane of this.#lanes) lane.endRest();
    this.#heldBack.close();
  }

  /** A receipt to this account is still under way: the next waits, and says more. */
  hasReceiptWaiting(account: string): boolean {
    return this.#lanes.of(account).sendings.some(({ item }) => item.receiptChains.length > 0);
  }

  /** The device is there: it is left out no more. */
  heard(tx: Transaction, from: DeviceAddress): void {
    this.#skipped.forget(tx, from);
  }

  hold(accountId: string): void {
    this.#sender.hold(accountId);
  }

  /** This device was rolled back: what was encrypted is encrypted anew (trust.md 7). */
  async sealAnew(tx: Transaction): Promise<void> {
    for (const lane of this.#lanes) {
      lane.prepared = false;
      await unsealAll(tx, lane.sendings);
    }
  }

  wake(): void {
    this.#again = true;
    if (this.#connected) this.#pumping ??= this.#pump();
  }

  async #pump(): Promise<void> {
    await Promise.resolve(); // So that `#pumping` is set, and what one turn puts in goes together.
    try {
      while (this.#again && this.#connected) {
        this.#again = false;
        await this.#sealWaiting();
        if (this.#mayMake) await this.#makeTyped();
        if (this.#connected) this.#dispatch();
      }
    } catch (cause) {
      this.#parts.fatal(cause);
    } finally {
      this.#pumping = undefined;
    }
  }

  async #makeTyped(): Promise<void> {
    const batch = this.#nextTypedBatch();
    if (batch.length === 0) return;
    this.#again = true;
    const making = { ...this.#sealing(), nextKey: () => sendKey(this.#nextSend++) };
    try {
      await this.#parts.device.transactor.transact(async (tx) => {
        const made = await makeEntries(making, tx, batch);
        tx.afterCommit(() => {
          for (const { key, item, request } of made) this.#enqueue(key, item, request.released);
        });
      });
      for (const { messageId } of batch) this.#typed.delete(messageId);
    } catch (cause) {
      for (const { conversation } of batch) this.#missed(this.#lanes.of(conversation), cause);
    }
  }

  #nextTypedBatch(): Typed[] {
    const batch: Typed[] = [];
    const room = new Map<Lane, number>();
    for (const typed of this.#typed.values()) {
      if (batch.length === BATCH_MAX) break;
      const lane = this.#lanes.of(typed.conversation);
      if (!lane.isOpen) continue;
      if (!lane.prepared) {
        this.#prepare(lane);
        continue;
      }
      const left = room.get(lane) ?? IN_FLIGHT_MAX - lane.underWay;
      if (left <= 0) continue;
      if (this.#allowance.takeEntries(1) === 0) break;
      room.set(lane, left - 1);
      batch.push(typed);
    }
    return batch;
  }

  async #sealWaiting(): Promise<void> {
    for (const lane of this.#lanes) {
      const waiting = lane.unsealed(BATCH_MAX);
      if (waiting.length === 0) continue;
      if (!lane.prepared) {
        this.#prepare(lane);
        continue;
      }
      this.#again = true;
      try {
        await onLedger(this.#parts, (ledger) => this.#sealAll(ledger, waiting));
      } catch (cause) {
        this.#missed(lane, cause);
      }
    }
  }

  async #sealAll(ledger: Ledger, waiting: readonly Sending[]): Promise<void> {
    for (const sending of waiting) {
      const { key, item } = sending;
      const request = await sealItem(this.#sealing(), ledger, item);
      putItem(ledger.tx, key, item);
      ledger.tx.afterCommit(() => {
        sending.request = request.released;
      });
    }
  }

  #sealing(): Sealing {
    const sealing = sealingOf(this.#parts);
    return { ...sealing, isSkipped: (to) => this.#skipped.has(to, sealing.nowMs) };
  }

  /** A list or a session that was there is gone: prepare again. */
  #missed(lane: Lane, cause: unknown): void {
    if (!(cause instanceof NoSessionError)) throw cause;
    lane.prepared = false;
    lane.backOff(PREPARE_AGAIN_MS, () => this.wake());
  }

  #prepare(lane: Lane): void {
    if (lane.preparing) return;
    lane.preparing = true;
    this.#prepareNow(lane)
      .catch((cause: unknown) => this.#parts.fatal(cause))
      .finally(() => {
        lane.preparing = false;
      });
  }

  async #prepareNow(lane: Lane): Promise<void> {
    const outcome = await prepareLane(this.#parts, lane);
    lane.prepared = outcome === "prepared";
    if (outcome === "account-gone") await this.#accountUnknown(lane);
    if (outcome === "false-list") this.hold(lane.account);
    lane.preparing = false;
    if (typeof outcome === "object") lane.backOff(outcome.againAfterMs, () => this.wake());
    // Where the connection was lost, the next welcome wakes.
    else if (outcome !== "disconnected") this.wake();
  }

  #dispatch(): void {
    // What is offered again is an entry too: not all of it at once.
    const mayGo = ({ reoffered }: OutboxItem) => !reoffered || this.#allowance.takeEntries(1) > 0;
    for (const lane of this.#lanes)
      while (this.#inFlight < this.#allowance.inFlightMax) {
        const sending = lane.next(mayGo);
        if (sending?.request === undefined) break;
        this.#inFlight += 1;
        sending.isInFlight = true;
        this.#send(lane, sending, sending.request).catch((cause: unknown) =>
          this.#parts.fatal(cause),
        );
      }
  }

  async #send(lane: Lane, sending: Sending, request: SendMessageRequest): Promise<void> {
    const connectionNumber = this.#connectionNumber;
    try {
      const outcome = await this.#sender.send(lane, sending, request);
      // Until the next welcome each try would fail at once.
      if (outcome === "lost" && connectionNumber === this.#connectionNumber) this.disconnected();
    } finally {
      this.#inFlight -= 1;
      sending.isInFlight = false;
    }
    this.wake();
    this.#tellQuiet();
  }

  #isBusy(): boolean {
    if (this.#allowance.inFlightMax === 0) return false;
    for (const lane of this.#lanes) if (lane.isOpen && lane.underWay > 0) return true;
    if (!this.#allowance.mayMakeEntries) return false;
    for (const { conversation } of this.#typed.values())
      if (this.#lanes.of(conversation).isOpen) return true;
    return false;
  }

  /** Each looks again for itself. */
  #tellQuiet(): void {
    for (const resolve of this.#quietWaiters.splice(0)) resolve();
  }

  /** Never met, and not known to the server: what waits for it fails after a day. */
  async #accountUnknown(lane: Lane): Promise<void> {
    lane.backOff(PREPARE_AGAIN_MS, () => this.wake());
    const { clock, device, emit } = this.#parts;
    const typed = [...this.#typed.values()].filter((one) => one.conversation === lane.account);
    const gone = {
      failure: "the account is gone",
      emit,
      before: clock.now() - ACCOUNT_GONE_AFTER_MS,
    };
    const refused = await device.transactor.transact(async (tx) => {
      const refused: Typed[] = [];
      for (const one of typed) if (await refuseTyped(tx, one.key, gone)) refused.push(one);
      return refused;
    });
    for (const { messageId } of refused) this.#typed.delete(messageId);
  }

  #addTyped(key: string, fields: Parameters<typeof newUnsent>[0]): void {
    const messageId = toHex(fields.messageId);
    this.#typed.set(messageId, { key, messageId, conversation: toHex(fields.conversation) });
  }

  async #trySeal(ledger: Ledger, item: OutboxItem): Promise<Kept<SendMessageRequest> | undefined> {
    const lane = this.#lanes.of(toHex(item.recipientAccount));
    // Behind what is still to be encrypted, so that nothing overtakes.
    if (!lane.prepared || lane.sendings.some(({ request }) => request === undefined))
      return undefined;
    try {
      return await sealItem(this.#sealing(), ledger, item);
    } catch (cause) {
      if (!(cause instanceof NoSessionError)) throw cause;
      return undefined;
    }
  }

  #enqueue(
    key: string,
    item: OutboxItem,
    request: SendMessageRequest | undefined = item.request.length === 0
      ? undefined
      : fromBinary(SendMessageRequestSchema, item.request),
  ): Sending {
    const sending = { key, item, request, isInFlight: false, isHeldBack: false };
    this.#lanes.of(toHex(item.recipientAccount)).sendings.push(sending);
    return sending;
  }
}
