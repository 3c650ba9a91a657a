import {
  decodeSessionRecord,
  encodeSessionRecord,
  type PrekeyNeeds,
  type PrekeysForMessage,
  type RemoteDevice,
  type SessionStep,
  type SessionStore,
} from "@parley/crypto";
import { type SessionRecord, toHex } from "@parley/protocol";
import type { StateNumber } from "../store/state-number.ts";
import type { Transaction } from "../store/transaction.ts";
import { addressKey } from "./device-address.ts";
import { prekeysFor } from "./prekey-rows.ts";
import type { PrekeyStock } from "./prekey-stock.ts";

export const SESSIONS_TABLE = "sessions";

export interface SessionRowsParts {
  readonly prekeys: Pick<PrekeyStock, "used">;
  readonly stateNumber: Pick<StateNumber, "raise">;
}

/** Sessions and prekeys as rows of the device's store. */
export class SessionRows implements SessionStore<Transaction> {
  readonly #parts: SessionRowsParts;

  constructor(parts: SessionRowsParts) {
    this.#parts = parts;
  }

  async session(tx: Transaction, remote: RemoteDevice): Promise<SessionRecord | undefined> {
    return await readSession(tx, keyOf(remote));
  }

  async prekeys(tx: Transaction, needs: PrekeyNeeds): Promise<PrekeysForMessage> {
    return await prekeysFor(tx, needs);
  }

  async write(tx: Transaction, remote: RemoteDevice, step: SessionStep): Promise<void> {
    tx.put(SESSIONS_TABLE, keyOf(remote), encodeSessionRecord(step.record));
    if (step.handshake !== undefined) await this.#parts.prekeys.used(tx, step.handshake);
    await this.#parts.stateNumber.raise(tx);
  }
}

export async function readSession(
  tx: Transaction,
  key: string,
): Promise<SessionRecord | undefined> {
  const row = await tx.get(SESSIONS_TABLE, key);
  return row === undefined ? undefined : decodeSessionRecord(row);
}

function keyOf({ accountId, deviceId }: RemoteDevice): string {
  return addressKey({ accountId: toHex(accountId), deviceId });
}
