import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { countOf } from "../conversation/counter-set.ts";
import { under } from "../conversation/keys.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { type HoleRecord, HoleRecordSchema } from "../gen/parley/store/v1/conversation_pb.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transaction.ts";

/**
 * A row for each device of a contact that is to be asked for something: counters that are missing in chains
 * of the conversation, or envelopes of it that could not be decrypted (trust.md 6).
 */
const keyOf = ({ accountId, deviceId }: DeviceAddress) => `${accountId}/${deviceId}`;

export async function findHole(
  tx: Transaction,
  of: DeviceAddress,
): Promise<HoleRecord | undefined> {
  const row = await tx.get("holes", keyOf(of));
  return row && fromBinary(HoleRecordSchema, row);
}

export function newHole(nowMs: number): HoleRecord {
  return create(HoleRecordSchema, { sinceMs: BigInt(nowMs) });
}

export function putHole(tx: Transaction, of: DeviceAddress, record: HoleRecord): void {
  tx.put("holes", keyOf(of), toBinary(HoleRecordSchema, record));
}

export function deleteHole(tx: Transaction, of: DeviceAddress): void {
  tx.delete("holes", keyOf(of));
}

export async function allHoles(
  tx: Pick<Transaction, "range">,
  accountId?: string,
): Promise<{ readonly of: DeviceAddress; readonly record: HoleRecord }[]> {
  const range = accountId === undefined ? {} : under(`${accountId}/`);
  return (await tx.range("holes", range)).map(({ key, value }) => {
    const [account, device] = key.split("/") as [string, string];
    return {
      of: { accountId: account, deviceId: Number(device) },
      record: fromBinary(HoleRecordSchema, value),
    };
  });
}

/** How many counters of the conversation's chains are missing. */
export async function countMissing(ledger: Ledger, conversation: string): Promise<number> {
  let count = 0;
  for (const chain of (await ledger.chainsOf(conversation)).values())
    count += countOf(chain.missing);
  return count;
}
