import {
  type AccountHead,
  type Challenge,
  type Envelope,
  type PresenceChanged,
  ProtocolError,
  type SignUpResponse,
  toHex,
  type Welcome,
} from "@parley/protocol";
import type { DeliveredBatch } from "./connection/connection-handler.ts";
import { ConnectionLostError } from "./connection/connection-lost-error.ts";
import type { HelloOfDevice, Login, SignUpOfDevice } from "./connection/login.ts";
import type { DeviceEvents } from "./device-events.ts";
import type { AccountDirectory } from "./directory/account-directory.ts";
import type { DeviceIdentity } from "./identity/device-identity.ts";
import type { Clock } from "./ports/clock.ts";
import type { DeviceSessions } from "./sessions/device-sessions.ts";
import type { PrekeyStock } from "./sessions/prekey-stock.ts";
import { lastEpoch } from "./store/last-epoch.ts";
import type { StateNumber } from "./store/state-number.ts";
import { StoreFailedError, type Transactor } from "./store/transactor.ts";

export interface OwnDeviceParts {
  readonly transactor: Transactor;
  readonly clock: Clock;
  readonly events: DeviceEvents;
  readonly directory: AccountDirectory;
  readonly identity: DeviceIdentity;
  readonly prekeys: PrekeyStock;
  readonly sessions: DeviceSessions;
  readonly stateNumber: StateNumber;
  fatal(cause: unknown): void;
}

/**
 * What hello says of this device and what welcome answers (delivery.md 4): both sides compare, and the
 * client mends what differs. Everything else is handed on to the upper half.
 */
export class OwnDevice implements Login {
  readonly #parts: OwnDeviceParts;
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: OwnDeviceParts) {
    this.#parts = parts;
  }

  async hello(challenge: Challenge): Promise<HelloOfDevice> {
    const { identity, directory, prekeys, stateNumber, transactor } = this.#parts;
    const login = await identity.login(challenge);
    const { accountId } = identity.address as { accountId: string };
    const said = await transactor.transact(async (tx) => ({
      lastEpoch: await lastEpoch(tx),
      ownHead: (await directory.account(tx, accountId))?.head,
      prekeys: await prekeys.believed(tx),
    }));
    const { ownHead, ...rest } = said;
    if (ownHead === undefined) throw new Error("the own account chain is missing");
    return { ...rest, ownHead, login, stateNumber: stateNumber.committed };
  }

  signUpAgain(challenge: Challenge): Promise<SignUpOfDevice> {
    return this.#parts.identity.signUpAgain(challenge);
  }

  async signedUpAgain(response: SignUpResponse): Promise<void> {
    const { identity, events } = this.#parts;
    await identity.signedUp(response);
    // The handle was given away while the server did not know this account.
    if (response.handle === "") events.alarm("handle-moved", this.#accountId);
  }

  async welcomed({ highestStateNumber, prekeys: held }: Welcome): Promise<boolean> {
    const { clock, events, sessions, stateNumber, transactor } = this.#parts;
    const verdict = await transactor.transact(async (tx) => {
      const settled = await stateNumber.settle(tx, highestStateNumber, clock.now());
      if (settled === "rolled-back" && held !== undefined) await sessions.reset(tx, held);
      return settled;
    });
    if (verdict === "rolled-back") events.alarm("rolled-back", this.#accountId);
    if (verdict === "rolled-back-again") events.alarm("in-use-twice", this.#accountId);
    return verdict === "rolled-back";
  }

  async welcome(welcome: Welcome, rolledBack: boolean): Promise<void> {
    this.#parts.prekeys.mend(welcome.prekeys);
    this.#settleOwnChain(welcome.ownHead);
    await this.#parts.events.welcome(welcome, rolledBack);
  }

  async delivered(batch: DeliveredBatch): Promise<void> {
    await this.#parts.events.delivered(batch);
  }

  async drained(): Promise<void> {
    const { events, prekeys, transactor } = this.#parts;
    // Caught up says too that others can write: the first prekeys are with the server.
    await prekeys.settled();
    await events.drained();
    await transactor.transact((tx) => prekeys.purge(tx));
  }

  live(envelope: Envelope): void {
    this.#parts.events.live(envelope);
  }

  accountChainMoved(ownHead: AccountHead): void {
    this.#settleOwnChain(ownHead);
    this.#parts.events.accountChainMoved(ownHead);
  }

  mailboxHasRoom(): void {
    this.#parts.events.mailboxHasRoom();
  }

  presenceChanged(changed: PresenceChanged): void {
    this.#parts.events.presenceChanged(changed);
  }

  /** What runs in the background has ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay, this.#parts.prekeys.settled()]);
  }

  get #accountId(): string {
    return toHex(this.#parts.identity.local.accountId);
  }

  #settleOwnChain(serverHead: AccountHead | undefined): void {
    const settling = this.#settle(serverHead)
      .catch((cause: unknown) => {
        const passing =
          cause instanceof ConnectionLostError ||
          cause instanceof ProtocolError ||
          cause instanceof StoreFailedError;
        if (!passing) this.#parts.fatal(cause);
      })
      .finally(() => this.#underWay.delete(settling));
    this.#underWay.add(settling);
  }

  async #settle(serverHead: AccountHead | undefined): Promise<void> {
    const { directory, events } = this.#parts;
    const { kind } = await directory.settle(this.#accountId, serverHead);
    if (kind === "false-list" || kind === "unknown") events.alarm("false-list", this.#accountId);
  }
}
