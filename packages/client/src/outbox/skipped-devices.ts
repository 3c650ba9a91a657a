import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Accepted, type SendMessageRequest, toHex } from "@parley/protocol";
import { under } from "../conversation/keys.ts";
import { SkippedDeviceSchema } from "../gen/parley/store/v1/conversation_pb.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transaction.ts";

/** So long a device that was skipped gets no envelope, before it is tried again (delivery.md 3). */
const LEFT_OUT_MS = 24 * 60 * 60 * 1000;
/** Rows of the outbox, by account and device. */
const SKIPPED = "skipped/";

const keyOf = ({ accountId, deviceId }: DeviceAddress) => `${SKIPPED}${accountId}/${deviceId}`;

/**
 * Devices whose mailboxes are full, or that have been away for too long: the server named them when it accepted
 * a send without them. They catch up through holes. Kept in memory too: every send asks.
 */
export class SkippedDevices {
  /** When it was skipped last, by the row's key. */
  readonly #atMs = new Map<string, number>();

  async load(tx: Pick<Transaction, "range">): Promise<void> {
    for (const { key, value } of await tx.range("outbox", under(SKIPPED)))
      this.#atMs.set(key, Number(fromBinary(SkippedDeviceSchema, value).skippedAtMs));
  }

  /** Of a time that lies ahead nothing is known: the clock was put back. */
  has(address: DeviceAddress, nowMs: number): boolean {
    const atMs = this.#atMs.get(keyOf(address));
    return atMs !== undefined && atMs <= nowMs && nowMs - atMs < LEFT_OUT_MS;
  }

  /** What the server said about the devices that the send went to. */
  settle(
    tx: Transaction,
    { ownAccountId, nowMs }: { readonly ownAccountId: string; readonly nowMs: number },
    { request, accepted }: { readonly request: SendMessageRequest; readonly accepted: Accepted },
  ): void {
    const take = (accountId: string, sent: readonly number[], skipped: readonly number[]) => {
      for (const deviceId of sent)
        if (skipped.includes(deviceId)) this.#put(tx, { accountId, deviceId }, nowMs);
        else this.forget(tx, { accountId, deviceId });
    };
    const { recipientAccount, recipientEnvelopes, ownEnvelopes } = request;
    const sent = (envelopes: typeof ownEnvelopes) => envelopes.map((one) => one.destinationDevice);
    take(toHex(recipientAccount), sent(recipientEnvelopes), accepted.skippedRecipientDevices);
    take(ownAccountId, sent(ownEnvelopes), accepted.skippedOwnDevices);
  }

  /** It had room, or it has said something: it is there. */
  forget(tx: Transaction, address: DeviceAddress): void {
    const key = keyOf(address);
    if (!this.#atMs.has(key)) return;
    tx.delete("outbox", key);
    tx.afterCommit(() => this.#atMs.delete(key));
  }

  #put(tx: Transaction, address: DeviceAddress, nowMs: number): void {
    const key = keyOf(address);
    const record = create(SkippedDeviceSchema, { skippedAtMs: BigInt(nowMs) });
    tx.put("outbox", key, toBinary(SkippedDeviceSchema, record));
    tx.afterCommit(() => this.#atMs.set(key, nowMs));
  }
}
