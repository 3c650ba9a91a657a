import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { copyOf } from "@parley/protocol";
import { type DeviceIdentity, DeviceIdentitySchema } from "../gen/parley/store/v1/device_pb.ts";
import type { Transaction } from "../store/transactor.ts";

const ROW = ["vault-device", "identity"] as const;

export async function readIdentity(tx: Transaction): Promise<DeviceIdentity | undefined> {
  const row = await tx.get(...ROW);
  return row === undefined ? undefined : fromBinary(DeviceIdentitySchema, copyOf(row));
}

export function putIdentity(tx: Transaction, identity: DeviceIdentity): void {
  tx.put(...ROW, toBinary(DeviceIdentitySchema, identity));
}

export function isSignedUp({ signUpReceipt }: DeviceIdentity): boolean {
  return signUpReceipt.length > 0;
}
