import { Ledger } from "./conversation/ledger.ts";
import type { Device } from "./device.ts";
import type { Emit } from "./events.ts";
import type { Sealing } from "./outbox/seal-item.ts";
import type { Clock } from "./ports/clock.ts";
import type { Random } from "./ports/random.ts";
import type { DeviceAddress } from "./sessions/device-address.ts";
import type { Transaction } from "./store/transaction.ts";

/** What the upper half of the client stands on. */
export interface Parts {
  readonly device: Pick<Device, Exclude<keyof Device, "close">>;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  /** A fault that is not a refusal and not the network's. */
  fatal(cause: unknown): void;
}

/** Keys that an account does not have yet, a list that did not change: asked for again after this long. */
export const PREPARE_AGAIN_MS = 1000;

/** So long an account that the server does not know is waited for. */
export const ACCOUNT_GONE_AFTER_MS = 24 * 60 * 60 * 1000;

export function ownAddress({ device }: Pick<Parts, "device">): DeviceAddress {
  const { account } = device.identity;
  if (account === undefined) throw new Error("no account");
  return { accountId: account.accountId, deviceId: account.deviceId };
}

export function sealingOf(parts: Parts): Omit<Sealing, "isSkipped"> {
  const { directory, sessions, identity } = parts.device;
  const ownHandle = identity.account?.handle ?? "";
  const { random, clock } = parts;
  const own = ownAddress(parts);
  return { directory, sessions, random, own, ownHandle, nowMs: clock.now() };
}

/** A piece of work over the rows of conversations. */
export function onLedger<T>(
  { device }: Pick<Parts, "device">,
  work: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  return device.transactor.transact((tx: Transaction) => withLedger(tx, work));
}

export async function withLedger<T>(
  tx: Transaction,
  work: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const ledger = new Ledger(tx);
  const result = await work(ledger);
  ledger.flush();
  return result;
}
