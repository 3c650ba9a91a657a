import { type Envelope, ProtocolError, toHex } from "@parley/protocol";
import type { DeliveredBatch } from "../connection/connection-handler.ts";
import { Ledger } from "../conversation/ledger.ts";
import type { Viewer } from "../conversation/shown.ts";
import type { Holes } from "../holes/holes.ts";
import { noteHoles, noteUndecryptable } from "../holes/note-holes.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { ownAddress, type Parts } from "../parts.ts";
import type { Receipts } from "../receipts/receipts.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transaction.ts";
import { StoreFailedError } from "../store/transactor.ts";
import { InboxBatch, type QuotedHeads } from "./batch.ts";
import { checkQuoted } from "./check-quoted.ts";
import { ClaimedNames } from "./claimed-names.ts";
import { allParked, park } from "./parked.ts";
import { openContent, takeContent } from "./take-content.ts";

export interface InboxParts extends Parts {
  readonly outbox: Outbox;
  readonly receipts: Receipts;
  readonly holes: Holes;
  viewer(): Viewer;
  keysHeld(accountId: string): void;
  handedOver(): void;
}

/** One envelope, as it came or as it was parked. */
interface Incoming {
  readonly from: DeviceAddress;
  readonly ciphertext: Uint8Array;
  /** Keeps it until its sender's list is known. */
  readonly park?: (tx: Transaction) => void;
}

/**
 * What arrives: one transaction a batch holds sessions, entries, chains and the signals that become due, then
 * the events, then one ack (delivery.md 9). No envelope blocks the queue: what cannot be decrypted is a hole,
 * named and asked for.
 */
export class Inbox {
  readonly #parts: InboxParts;
  #isDrained = false;

  readonly #names: ClaimedNames;

  constructor(parts: InboxParts) {
    this.#parts = parts;
    this.#names = new ClaimedNames(parts);
  }

  async delivered(batch: DeliveredBatch): Promise<void> {
    this.#parts.receipts.busy();
    const nowMs = this.#parts.clock.now();
    const incoming = batch.envelopes.filter(isFromSomebody).map((envelope) => ({
      from: { accountId: toHex(envelope.sourceAccount), deviceId: envelope.sourceDevice },
      ciphertext: envelope.ciphertext,
      park: (tx: Transaction) => park(tx, envelope, nowMs),
    }));
    const unreachable = await this.#learnDevices(incoming);
    const quoted = await this.#takeAll(incoming, unreachable);
    batch.ack();
    if (this.#isDrained) this.#parts.receipts.idle();
    for (const heads of quoted) await checkQuoted(this.#parts, heads);
  }

  /** Everything that waited at login is here. */
  drained(): void {
    this.#isDrained = true;
    this.#parts.receipts.idle();
    this.#parts.holes.drained();
  }

  disconnected(): void {
    this.#isDrained = false;
    this.#parts.receipts.busy();
    this.#parts.holes.disconnected();
  }

  /** What was parked: its senders' lists may be reachable now. */
  async takeParked(): Promise<void> {
    const { transactor } = this.#parts.device;
    const rows = await transactor.transact(allParked);
    if (rows.length === 0) return;
    const incoming = rows.map(({ key, from, envelope }) => ({
      key,
      from,
      ciphertext: envelope.ciphertext,
    }));
    const unreachable = await this.#learnDevices(incoming);
    const ready = incoming.filter(({ from }) => !unreachable.has(from.accountId));
    for (const one of ready) {
      const also = (tx: Transaction) => tx.delete("parked", one.key);
      const quoted = await this.#takeBatch([one], { unreachable, also });
      for (const heads of quoted) await checkQuoted(this.#parts, heads);
    }
  }

  /** Network: lists of accounts of which an unknown device sent something. Those that could not be had. */
  async #learnDevices(incoming: readonly Incoming[]): Promise<Set<string>> {
    const { directory, transactor } = this.#parts.device;
    const unknown = await transactor.transact(async (tx) => {
      const accounts = new Set<string>();
      const seen = new Set<string>();
      for (const { from } of incoming) {
        const name = `${from.accountId}/${from.deviceId}`;
        if (seen.has(name)) continue;
        seen.add(name);
        if ((await directory.device(tx, from)) === undefined) accounts.add(from.accountId);
      }
      return accounts;
    });
    const unreachable = new Set<string>();
    for (const account of unknown) {
      try {
        const outcome = await directory.refresh(account);
        if (outcome.kind === "false-list") this.#parts.outbox.hold(account);
      } catch (cause) {
        // Without a connection the batch is not acknowledged, and comes again.
        if (!(cause instanceof ProtocolError)) throw cause;
        unreachable.add(account);
      }
    }
    return unreachable;
  }

  async #takeAll(
    incoming: readonly Incoming[],
    unreachable: ReadonlySet<string>,
  ): Promise<readonly QuotedHeads[]> {
    if (incoming.length === 0) return await this.#takeBatch([], { unreachable });
    try {
      return await this.#takeBatch(incoming, { unreachable });
    } catch (cause) {
      if (cause instanceof StoreFailedError) throw cause;
    }
    // One of them meets a fault of ours. The others go through; that one becomes a hole.
    const quoted: QuotedHeads[] = [];
    for (const one of incoming) quoted.push(...(await this.#takeAlone(one, unreachable)));
    return quoted;
  }

  async #takeAlone(
    one: Incoming,
    unreachable: ReadonlySet<string>,
  ): Promise<readonly QuotedHeads[]> {
    try {
      return await this.#takeBatch([one], { unreachable });
    } catch (cause) {
      if (cause instanceof StoreFailedError) throw cause;
    }
    const { device, clock, emit, holes } = this.#parts;
    await device.transactor.transact(async (tx) => {
      const batch = new InboxBatch(new Ledger(tx), emit, clock.now());
      await noteLost(batch, one.from);
      batch.ledger.flush();
      await device.stateNumber.raise(tx);
    });
    holes.look(0);
    return [];
  }

  async #takeBatch(
    incoming: readonly Incoming[],
    options: {
      readonly unreachable: ReadonlySet<string>;
      readonly also?: (tx: Transaction) => void;
    },
  ): Promise<readonly QuotedHeads[]> {
    const { device, emit, clock, receipts, holes } = this.#parts;
    const nowMs = clock.now();
    let isMissing = false;
    const batch = await device.transactor.transact(async (tx) => {
      const open = new InboxBatch(new Ledger(tx), emit, nowMs);
      for (const one of incoming) await this.#takeOne(open, one, options.unreachable);
      options.also?.(tx);
      for (const from of open.touched.values())
        if (await noteHoles(open.ledger, emit, { from, nowMs })) isMissing = true;
      await open.tellShown(this.#parts.viewer());
      open.ledger.flush();
      await device.stateNumber.raise(tx);
      return open;
    });
    for (const account of batch.due) receipts.note(account);
    if (isMissing) holes.look(0);
    if (batch.claims.size > 0) await this.#names.lookUp(batch);
    return batch.quoted;
  }

  async #takeOne(
    batch: InboxBatch,
    { from, ciphertext, park: keep }: Incoming,
    unreachable: ReadonlySet<string>,
  ): Promise<void> {
    const { directory, sessions } = this.#parts.device;
    const decrypted = await sessions.decrypt(batch.tx, from, ciphertext);
    switch (decrypted.kind) {
      case "repeat":
        return await batch.receiptsDueAgain(from);
      case "undecryptable":
        if (decrypted.cause !== "unknown-device") await noteLost(batch, from);
        // A device that is not listed, or no longer: acknowledged, and not shown.
        else if (unreachable.has(from.accountId)) keep?.(batch.tx);
        return;
      case "content": {
        const content = openContent(decrypted.content.inside(batch.tx));
        if (content === undefined) return await noteLost(batch, from);
        const { emit, keysHeld, handedOver, outbox } = this.#parts;
        const { identity } = this.#parts.device;
        const own = ownAddress(this.#parts);
        const taking = { directory, identity, own, outbox, emit, keysHeld, handedOver };
        return await takeContent(taking, batch, from, content);
      }
    }
  }
}

/**
 * A stranger becomes a request although nothing of his can be shown: once he is let in, he is asked for it
 * (holes.ts). Else what he wrote under a prekey that a restored server gave twice would never be seen.
 */
async function noteLost(batch: InboxBatch, from: DeviceAddress): Promise<void> {
  await batch.contact(from.accountId);
  batch.touch(from);
  await noteUndecryptable(batch.ledger, from, batch.nowMs);
}

/** Sealed sender comes later: what names no source is for newer clients. */
function isFromSomebody({ sourceAccount, sourceDevice }: Envelope): boolean {
  return sourceAccount.length > 0 && sourceDevice > 0;
}
