import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { LastEpochSchema } from "../gen/parley/store/v1/device_pb.ts";
import type { Transaction } from "./transactor.ts";

const ROW = ["device-state", "last-epoch"] as const;

/** The epoch that the next hello names; empty: none yet. */
export async function lastEpoch(tx: Transaction): Promise<Uint8Array> {
  const row = await tx.get(...ROW);
  return row === undefined ? new Uint8Array(0) : fromBinary(LastEpochSchema, row).id;
}

export function putLastEpoch(tx: Transaction, id: Uint8Array): void {
  tx.put(...ROW, toBinary(LastEpochSchema, create(LastEpochSchema, { id })));
}
