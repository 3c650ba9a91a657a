import { type Envelope, ProtocolError, type Welcome } from "@parley/protocol";
import type { ConnectionState } from "./api.ts";
import type { DeliveredBatch } from "./connection/connection-handler.ts";
import { ConnectionLostError } from "./connection/connection-lost-error.ts";
import { endEveryOwnChain } from "./conversation/append-entry.ts";
import { placeExpired } from "./conversation/placing.ts";
import type { Viewer } from "./conversation/shown.ts";
import { Holes } from "./holes/holes.ts";
import { Inbox } from "./inbox/inbox.ts";
import { handOverDue } from "./linking/hand-over.ts";
import { Outbox } from "./outbox/outbox.ts";
import { offerAgain } from "./outbox/welcome.ts";
import { onLedger, type Parts } from "./parts.ts";
import { forgetAllGivenKeys } from "./presence/given-keys.ts";
import { Presence } from "./presence/presence.ts";
import { ServerTime } from "./presence/server-time.ts";
import { Typing } from "./presence/typing.ts";
import { TypingOfOthers } from "./presence/typing-of-others.ts";
import { Receipts } from "./receipts/receipts.ts";
import type { DeviceAddress } from "./sessions/device-address.ts";

/** What is written offline does not sort above what has been read since, but waits no longer than this. */
const MAKE_AFTER_MS = 5_000;
/** A person does not wait longer for a program to end. */
const FINISH_MS_MAX = 2_000;
/** How often entries are looked for whose 24 hours are over. */
const EXPIRE_EVERY_MS = 60 * 60 * 1000;

/** The pipelines of a device and what moves them: the turns of its connection, and time. */
export class Flow {
  readonly outbox: Outbox;
  readonly receipts: Receipts;
  readonly holes: Holes;
  readonly presence: Presence;
  readonly typing: Typing;
  readonly typingOfOthers: TypingOfOthers;
  readonly #serverTime = new ServerTime();
  readonly #parts: Parts;
  readonly #inbox: Inbox;
  /** Devices that had left when this connection began with a drain. */
  #leftBefore: DeviceAddress[] = [];
  /** For what another own device hands over. */
  readonly #waiting: (() => void)[] = [];
  #cancelMaking: () => void = () => {};
  #cancelExpiry: () => void = () => {};

  constructor(parts: Parts, viewer: () => Viewer) {
    this.#parts = parts;
    this.outbox = new Outbox(parts);
    this.receipts = new Receipts(parts, this.outbox);
    this.holes = new Holes(parts, this.outbox);
    this.presence = new Presence(parts);
    this.typing = new Typing(parts, this.#serverTime);
    this.typingOfOthers = new TypingOfOthers(parts);
    const { outbox, receipts, holes } = this;
    const keysHeld = (accountId: string) => this.presence.keysHeld(accountId);
    const handedOver = () => this.#waiting.splice(0).forEach((resolve) => void resolve());
    this.#inbox = new Inbox({ ...parts, outbox, receipts, holes, viewer, keysHeld, handedOver });
  }

  /** Before anything moves: everything goes on where the store says that it stopped. */
  async load(): Promise<void> {
    await this.outbox.load();
    await this.receipts.load();
    await this.#expire();
  }

  async welcome(welcome: Welcome, rolledBack: boolean): Promise<void> {
    const { clock, device } = this.#parts;
    const nowMs = clock.now();
    this.#serverTime.welcomed(welcome.serverTimeMs, nowMs);
    this.typingOfOthers.welcomed(welcome.serverTimeMs);
    const accounts = await onLedger(this.#parts, async (ledger) => {
      if (rolledBack) {
        await endEveryOwnChain(ledger);
        await forgetAllGivenKeys(ledger.tx);
        await this.outbox.sealAnew(ledger.tx);
      }
      if (rolledBack) await this.holes.askEverybody(ledger);
      const due = await offerAgain(this.outbox, ledger, { welcome, nowMs });
      const last = welcome.epochs.at(-1);
      if (last !== undefined) device.rememberEpoch(ledger.tx, last.id.slice());
      return due;
    });
    for (const account of accounts) this.receipts.note(account);
    this.#leftBefore = await this.#whoLeft();
    this.outbox.connected(welcome);
    this.presence.connected();
    this.#cancelMaking();
    this.#cancelMaking = clock.after(MAKE_AFTER_MS, () => this.outbox.mayMakeEntries());
  }

  /** What they had sent before the news of it is behind us after a drain (trust.md 3). */
  devicesLeft(): void {
    const { device, fatal } = this.#parts;
    this.#whoLeft()
      .then(async (left) => {
        await device.connection.drain();
        await this.#forget(left);
      })
      .catch((cause: unknown) => {
        // Not now: the next connection begins with a drain.
        const isPassing = cause instanceof ConnectionLostError || cause instanceof ProtocolError;
        if (!isPassing) fatal(cause);
      });
  }

  async delivered(batch: DeliveredBatch): Promise<void> {
    await this.#inbox.delivered(batch);
  }

  async drained(): Promise<void> {
    this.#cancelMaking();
    await this.#inbox.takeParked();
    this.#inbox.drained();
    await this.#forget(this.#leftBefore.splice(0));
    const parts = { ...this.#parts, outbox: this.outbox };
    await onLedger(this.#parts, (ledger) => handOverDue(parts, ledger));
    this.outbox.mayMakeEntries();
  }

  /** Resolves once this device may write: at once, but for one that was linked just now. */
  async handedOver(): Promise<void> {
    if (this.#parts.device.identity.account?.awaitsHandOver !== true) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  live(envelope: Envelope): void {
    this.typingOfOthers.take(envelope).catch((cause: unknown) => this.#parts.fatal(cause));
  }

  /** The mailbox was full and is not any more. Where it is not caught up with now, the server says it again. */
  mailboxHasRoom(): void {
    this.#catchUp().catch((cause: unknown) => {
      if (!(cause instanceof ConnectionLostError)) this.#parts.fatal(cause);
    });
  }

  stateChanged(state: ConnectionState): void {
    if (state.kind === "catching-up" || state.kind === "online") return;
    this.#cancelMaking();
    this.outbox.disconnected();
    this.#inbox.disconnected();
    this.presence.disconnected();
    this.typingOfOthers.disconnected();
  }

  /**
   * The program ends: receipts that are due and what is under way still go, so that a command that shows a
   * message and ends has said so. What does not make it in time goes the next time.
   */
  async finish(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(FINISH_MS_MAX, resolve);
    const sent = this.receipts.sendAll().then(() => this.outbox.quiet());
    await Promise.race([sent, late]).finally(cancel);
  }

  close(): void {
    this.#cancelMaking();
    this.#cancelExpiry();
    this.outbox.close();
    this.receipts.close();
    this.#inbox.disconnected();
    this.presence.disconnected();
    this.typing.close();
    this.typingOfOthers.disconnected();
  }

  #whoLeft(): Promise<DeviceAddress[]> {
    const { directory, transactor } = this.#parts.device;
    return transactor.transact(async (tx) => [...(await directory.devicesLeft(tx))]);
  }

  async #forget(left: readonly DeviceAddress[]): Promise<void> {
    if (left.length === 0) return;
    const { directory, sessions, transactor } = this.#parts.device;
    await transactor.transact(async (tx) => {
      for (const address of left) {
        directory.forgetLeft(tx, address);
        // Another device may stand under its number by now.
        if ((await directory.device(tx, address)) === undefined) await sessions.forget(tx, address);
      }
    });
  }

  /** Lists that may have changed unheard, then what was left out; the mark goes once the requests are durable. */
  async #catchUp(): Promise<void> {
    await this.holes.refreshLists();
    await onLedger(this.#parts, (ledger) => this.holes.askEverybody(ledger));
    this.holes.look(0);
    try {
      await this.#parts.device.connection.request("clearSkipped", {});
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause;
    }
  }

  async #expire(): Promise<void> {
    await onLedger(this.#parts, (ledger) => placeExpired(ledger, this.#parts.clock.now()));
    this.#cancelExpiry = this.#parts.clock.after(EXPIRE_EVERY_MS, () => {
      this.#expire().catch((cause: unknown) => this.#parts.fatal(cause));
    });
  }
}
