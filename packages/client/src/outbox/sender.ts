import {
  type Accepted,
  type DeviceListMismatch,
  ENVELOPE_LIFETIME_MS,
  ErrorCode,
  ProtocolError,
  type SendMessageRequest,
  type SendMessageResponse,
} from "@parley/protocol";
import { ConnectionLostError } from "../connection/connection-lost-error.ts";
import { decodeRef } from "../conversation/entry-ref.ts";
import {
  ACCOUNT_GONE_AFTER_MS,
  onLedger,
  ownAddress,
  type Parts,
  PREPARE_AGAIN_MS,
} from "../parts.ts";
import type { Transaction } from "../store/transaction.ts";
import type { Allowance } from "./allowance.ts";
import type { Lane, Lanes, Sending } from "./lane.ts";
import { findItem, putItem } from "./outbox-row.ts";
import { settleAccepted, settleRefused } from "./settle-item.ts";
import type { SkippedDevices } from "./skipped-devices.ts";

export interface SendingParts {
  readonly allowance: Allowance;
  readonly skipped: SkippedDevices;
  wake(): void;
}

/** Sends one item, and does what the answer asks for (delivery.md 3). */
export class Sender {
  readonly #parts: Parts;
  readonly #lanes: Lanes;

  readonly #allowance: Allowance;
  readonly #skipped: SkippedDevices;
  readonly #wake: () => void;

  constructor(parts: Parts, lanes: Lanes, { allowance, skipped, wake }: SendingParts) {
    this.#parts = parts;
    this.#lanes = lanes;
    this.#allowance = allowance;
    this.#skipped = skipped;
    this.#wake = () => wake();
  }

  /**
   * Until accepted the bytes are the same. "lost": no answer came, the item waits for the next welcome.
   */
  async send(
    lane: Lane,
    sending: Sending,
    request: SendMessageRequest,
  ): Promise<"settled" | "lost"> {
    const { connection, stateNumber } = this.#parts.device;
    let answer: SendMessageResponse;
    try {
      answer = await connection.request("sendMessage", {
        ...request,
        stateNumber: stateNumber.committed,
      });
    } catch (cause) {
      if (cause instanceof ConnectionLostError) return "lost";
      await this.#notAnswered(lane, sending, { request, cause });
      return "settled";
    }
    await this.#answered(lane, sending, { request, answer });
    return "settled";
  }

  /** Nothing goes to this account any more: somebody was shown a false list of it (trust.md 3). */
  hold(account: string): void {
    const lane = this.#lanes.of(account);
    if (lane.held) return;
    lane.held = true;
    if (account === ownAddress(this.#parts).accountId) this.#lanes.holdAll();
    this.#parts.emit({ type: "alarm", kind: "false-list", about: account });
  }

  async refuse(lane: Lane, sending: Sending, failure: string): Promise<void> {
    const { key, item } = sending;
    const { emit, clock } = this.#parts;
    await onLedger(this.#parts, (ledger) =>
      settleRefused({ emit, nowMs: clock.now() }, ledger, { key, item, failure }),
    );
    lane.remove(sending);
  }

  async #answered(
    lane: Lane,
    sending: Sending,
    { request, answer }: { request: SendMessageRequest; answer: SendMessageResponse },
  ): Promise<void> {
    const { outcome } = answer;
    switch (outcome.case) {
      case "accepted":
        return await this.#accepted(lane, sending, { request, accepted: outcome.value });
      case "deviceListMismatch":
        lane.takingOver ??= this.#takeOverLists(lane, outcome.value).finally(() => {
          lane.takingOver = undefined;
        });
        await lane.takingOver;
        await this.#parts.device.transactor.transact((tx) => unseal(tx, sending));
        return;
      case "unknownAccount":
        return await this.#accountUnknown(lane, sending);
      case undefined:
        return await this.refuse(lane, sending, "the server's answer is not understood");
    }
  }

  async #accepted(
    lane: Lane,
    sending: Sending,
    settled: { readonly request: SendMessageRequest; readonly accepted: Accepted },
  ): Promise<void> {
    const { key, item } = sending;
    const { accepted } = settled;
    const { emit, clock } = this.#parts;
    const nowMs = clock.now();
    const { accountId: ownAccountId } = ownAddress(this.#parts);
    await onLedger(this.#parts, async (ledger) => {
      this.#skipped.settle(ledger.tx, { ownAccountId, nowMs }, settled);
      await settleAccepted({ emit, nowMs }, ledger, { key, item, accepted });
    });
    lane.succeeded();
    this.#allowance.accepted();
    lane.remove(sending);
  }

  async #notAnswered(
    lane: Lane,
    sending: Sending,
    { request, cause }: { readonly request: SendMessageRequest; readonly cause: unknown },
  ): Promise<void> {
    if (!(cause instanceof ProtocolError)) throw cause;
    if (cause.retryAfterMs === undefined) return await this.refuse(lane, sending, cause.message);
    if (cause.code === ErrorCode.RATE_LIMITED) return this.#allowance.refused(cause.retryAfterMs);
    if (cause.code === ErrorCode.MAILBOX_FULL) await this.#reachOthers(lane, sending, request);
    lane.backOff(cause.retryAfterMs, this.#wake);
  }

  /** Nobody took it. Who was left out may have room by now: it is made anew, for everybody. */
  async #reachOthers(lane: Lane, sending: Sending, request: SendMessageRequest): Promise<void> {
    const leftOut = request.leftOutRecipientDevices;
    if (leftOut.length === 0 || sending.item.onlyDevice !== 0) return;
    await this.#parts.device.transactor.transact(async (tx) => {
      for (const deviceId of leftOut)
        this.#skipped.forget(tx, { accountId: lane.account, deviceId });
      await unseal(tx, sending);
    });
  }

  /**
   * A server that was put back to an older state lacks accounts until they return with their receipts
   * (delivery.md 5): only after a day is the account gone, and what was accepted once waits as long as the
   * server would have kept it.
   */
  async #accountUnknown(lane: Lane, sending: Sending): Promise<void> {
    const { content } = sending.item;
    const entry =
      content.case === "entry" &&
      (await onLedger(this.#parts, (ledger) => ledger.entry(decodeRef(content.value))));
    const age = entry ? this.#parts.clock.now() - Number(entry.receivedAtMs) : 0;
    const waitsMs = sending.item.reoffered ? ENVELOPE_LIFETIME_MS : ACCOUNT_GONE_AFTER_MS;
    if (age < waitsMs) lane.backOff(PREPARE_AGAIN_MS, this.#wake);
    else await this.refuse(lane, sending, "the account is gone");
  }

  /** The newer lists are taken over; entries stay as they are, and every envelope is made anew. */
  async #takeOverLists(lane: Lane, mismatch: DeviceListMismatch): Promise<void> {
    const { directory, transactor } = this.#parts.device;
    lane.prepared = false;
    try {
      const { recipient, own } = await directory.settleMismatch(mismatch, lane.account);
      if (recipient.kind === "false-list") this.hold(lane.account);
      if (own.kind === "false-list") this.hold(ownAddress(this.#parts).accountId);
      if (recipient.kind !== "newer" && own.kind !== "newer")
        lane.backOff(PREPARE_AGAIN_MS, this.#wake);
    } catch (cause) {
      if (cause instanceof ProtocolError)
        lane.backOff(cause.retryAfterMs ?? PREPARE_AGAIN_MS, this.#wake);
      else if (!(cause instanceof ConnectionLostError)) throw cause;
    }
    const waiting = lane.sendings.filter(({ isInFlight }) => !isInFlight);
    await transactor.transact((tx) => unsealAll(tx, waiting));
  }
}

/** To be encrypted anew: for other devices, or because sessions were reset. */
export async function unsealAll(tx: Transaction, sendings: readonly Sending[]): Promise<void> {
  for (const sending of sendings) await unseal(tx, sending);
}

async function unseal(tx: Transaction, sending: Sending): Promise<void> {
  const item = await findItem(tx, sending.key);
  if (item === undefined) return;
  putItem(tx, sending.key, { ...item, request: new Uint8Array() });
  tx.afterCommit(() => {
    sending.request = undefined;
  });
}
