import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type StateNumberRecord,
  StateNumberRecordSchema,
} from "../gen/parley/store/v1/device_pb.ts";
import type { Transaction, Transactor } from "./transactor.ts";

const ROW = ["device-state", "state-number"] as const;
/** A server could lie: at most one reset in this time is obeyed, then it is an alarm (trust.md 7). */
const RESET_INTERVAL_MS = 60 * 60 * 1000;

/** What the server's number says about this device's data. */
export type StateNumberVerdict =
  | "ours"
  /** The server has seen a later state of this device: it was rolled back. Begin sessions anew. */
  | "rolled-back"
  /** Again within the hour: two copies are in use, or the server lies. */
  | "rolled-back-again";

/**
 * The device's state number (trust.md 7): raised in every transaction that steps a ratchet or acknowledges
 * an envelope, and told to the server with each send and each ack.
 */
export class StateNumber {
  #committed: bigint;

  private constructor(committed: bigint) {
    this.#committed = committed;
  }

  static async load(transactor: Transactor): Promise<StateNumber> {
    const { number } = await transactor.transact((tx) => recordOf(tx));
    return new StateNumber(number);
  }

  /** What is durable: the number to tell the server. */
  get committed(): bigint {
    return this.#committed;
  }

  async raise(tx: Transaction): Promise<void> {
    const record = await recordOf(tx);
    this.#put(tx, { ...record, number: record.number + 1n });
  }

  /** Compares with the highest that the server saw, and rises above it. */
  async settle(tx: Transaction, highestSeen: bigint, nowMs: number): Promise<StateNumberVerdict> {
    const record = await recordOf(tx);
    if (highestSeen <= record.number) return "ours";
    const again =
      record.resetAtMs !== 0n && Math.abs(nowMs - Number(record.resetAtMs)) < RESET_INTERVAL_MS;
    const resetAtMs = again ? record.resetAtMs : BigInt(nowMs);
    this.#put(tx, { ...record, number: highestSeen + 1n, resetAtMs });
    return again ? "rolled-back-again" : "rolled-back";
  }

  #put(tx: Transaction, record: StateNumberRecord): void {
    tx.put(...ROW, toBinary(StateNumberRecordSchema, record));
    tx.afterCommit(() => {
      this.#committed = record.number;
    });
  }
}

async function recordOf(tx: Transaction): Promise<StateNumberRecord> {
  const row = await tx.get(...ROW);
  return row === undefined
    ? create(StateNumberRecordSchema)
    : fromBinary(StateNumberRecordSchema, row);
}
