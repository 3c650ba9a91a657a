import { CloseCode, encodeServerFrame } from "@parley/protocol";
import { compact, isCompact } from "../lib/compact-bytes.ts";
import type { AccountStore, ChainHead, ListedDevice } from "../ports/account-store.ts";
import type { DeviceAddress } from "../ports/device-address.ts";
import type { SessionNumber, SessionRegistry } from "../ports/session-registry.ts";
import type { Wakeup, WakeupBus, WakeupListener } from "../ports/wakeup-bus.ts";
import { wireHead } from "./device-list.ts";
import { type FlowWindow, MailboxStream, type StreamParts } from "./mailbox-stream.ts";
import type { Outlet } from "./outlet.ts";
import { SharedTimer, type Timed } from "./shared-timer.ts";
import { wake } from "./wake.ts";

export interface SessionParts extends StreamParts {
  readonly accounts: AccountStore;
  readonly registry: SessionRegistry;
  readonly bus: WakeupBus;
  /** Runs out for a session when it is to do what a lost wake-up would have done. */
  readonly refreshes: SharedTimer;
}

export interface LoggedIn {
  readonly address: DeviceAddress;
  readonly device: ListedDevice;
  /** As the welcome tells it. */
  readonly head: ChainHead;
  readonly window: FlowWindow;
}

/**
 * One logged-in connection of a device. Nothing is missed because of the order: first it claims the device,
 * then it hears wake-ups, then its stream begins to read; and each refresh does what a lost wake-up would
 * have done.
 */
export class DeviceSession implements WakeupListener, Timed {
  readonly address: DeviceAddress;
  readonly number: SessionNumber;
  readonly stream: MailboxStream;
  readonly #parts: SessionParts;
  readonly #outlet: Outlet;
  /** Compact, as the hash of the head that the client knows. */
  readonly #identityKey: string;
  #toldHead: string;
  #isSkipped = false;
  #toldRoom = false;
  #isLive = false;
  #isClosed = false;
  #atEnd: (() => void) | undefined;
  round: Set<Timed> | undefined;

  /** Under the number of its claim. */
  static async open(
    parts: SessionParts,
    outlet: Outlet,
    { number, ...who }: LoggedIn & { readonly number: SessionNumber },
  ): Promise<DeviceSession> {
    const session = new DeviceSession(parts, outlet, who, number);
    wake(parts, [who.address], { kind: "claimed", session: number });
    try {
      await parts.bus.subscribe(who.address, session);
    } catch (cause) {
      session.close();
      throw cause;
    }
    if (session.#isClosed) parts.bus.unsubscribe(who.address, session);
    return session;
  }

  private constructor(parts: SessionParts, outlet: Outlet, who: LoggedIn, number: SessionNumber) {
    this.#parts = parts;
    this.#outlet = outlet;
    this.address = who.address;
    this.#identityKey = compact(who.device.identityKey);
    this.#toldHead = compact(who.head.hash);
    this.number = number;
    this.stream = new MailboxStream(parts, who.address, outlet, who.window);
  }

  get accountId(): string {
    return this.address.accountId;
  }

  get deviceId(): number {
    return this.address.deviceId;
  }

  /** After the welcome went out. */
  start(): void {
    if (this.#isClosed) return;
    this.#isLive = true;
    this.stream.start();
    this.lookAgain();
    this.#parts.refreshes.start(this);
  }

  /** The client knows this head already: it is the one that brought it. */
  knowsHead(head: ChainHead): void {
    this.#toldHead = compact(head.hash);
  }

  /** The device has everything up to there. What that frees may be room for what was skipped. */
  ack(upToOrdinal: bigint): void {
    this.stream.ack(upToOrdinal).then(
      () => this.#isSkipped && this.lookAgain(),
      (cause: unknown) => this.#parts.log.warn({ err: cause }, "acks-not-stored"),
    );
  }

  /** Tells what has changed about account and mailbox, and ends where the device is not listed any more. */
  lookAgain(): void {
    Promise.all([this.#lookAtAccount(), this.#lookAtMailbox()]).catch((cause: unknown) => {
      this.#parts.log.warn({ err: cause }, "account-look-failed");
    });
  }

  /** To the client, under no request. */
  tell(response: NonNullable<ServerResponse>): void {
    if (!this.#isClosed) this.#say(response);
  }

  /** Runs when this connection has ended, and at once where it has. One only. */
  atEnd(run: () => void): void {
    if (this.#isClosed) run();
    else this.#atEnd = run;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#atEnd?.();
    this.stream.stop();
    this.#parts.bus.unsubscribe(this.address, this);
    SharedTimer.stop(this);
    this.#parts.registry.release(this.address, this.number).catch((cause: unknown) => {
      this.#parts.log.warn({ err: cause }, "claim-not-released");
    });
  }

  hear(wakeup: Wakeup): void {
    if (this.#isClosed) return;
    switch (wakeup.kind) {
      case "claimed":
        if (wakeup.session > this.number) this.#replaced();
        return;
      case "mail":
        if (this.#isLive) this.stream.wake();
        return;
      case "account":
        if (this.#isLive) this.lookAgain();
        return;
      case "live":
        if (this.#isLive) this.#outlet.send(wakeup.frame);
        return;
    }
  }

  /** A refresh. */
  due(): void {
    this.#parts.mailboxes.seen(this.address, 0n); // It need not send anything to be here.
    this.stream.wake();
    this.lookAgain();
    this.#refresh().catch((cause: unknown) => {
      this.#parts.log.warn({ err: cause }, "claim-not-refreshed");
    });
    this.#parts.refreshes.start(this);
  }

  async #refresh(): Promise<void> {
    const isOurs = await this.#parts.registry.refresh(this.address, this.number);
    if (!isOurs && !this.#isClosed) this.#replaced();
  }

  #replaced(): void {
    this.#outlet.end(CloseCode.REPLACED, "a newer connection of this device");
  }

  async #lookAtAccount(): Promise<void> {
    const account = await this.#parts.accounts.find(this.accountId);
    if (this.#isClosed) return;
    const device = account?.devices.find((each) => each.deviceId === this.deviceId);
    if (
      account === undefined ||
      device === undefined ||
      !isCompact(this.#identityKey, device.identityKey)
    )
      return this.#outlet.end(CloseCode.DEVICE_REMOVED, "this device was removed");
    if (isCompact(this.#toldHead, account.head.hash)) return;
    this.#toldHead = compact(account.head.hash);
    this.#say({ case: "accountChainMoved", value: { ownHead: wireHead(account.head) } });
  }

  async #lookAtMailbox(): Promise<void> {
    const { skipped, hasRoom } = await this.#parts.mailboxes.state(this.address);
    if (this.#isClosed) return;
    if (skipped && hasRoom && !this.#toldRoom) this.#say({ case: "mailboxHasRoom", value: {} });
    this.#isSkipped = skipped;
    this.#toldRoom = skipped && hasRoom;
  }

  #say(response: ServerResponse): void {
    this.#outlet.send(encodeServerFrame({ requestId: 0, ...(response && { response }) }));
  }
}

type ServerResponse = Parameters<typeof encodeServerFrame>[0]["response"];
