import { concatBytes, equalBytes } from "@parley/protocol";
import type { ReadSignalMessage } from "./signal-message.ts";

/** A protocol address: an account, and a device of it. */
export interface Address {
  readonly accountId: Uint8Array;
  readonly deviceId: number;
}

/** The kind of a fixed-width service id that names an account. */
const ACCOUNT_KIND = 0x00;

/** Sender, then recipient: 36 bytes. */
export function addressesField(sender: Address, recipient: Address): Uint8Array {
  return concatBytes(fixedWidth(sender), fixedWidth(recipient));
}

export function isSameDevice(a: Address, b: Address): boolean {
  return a.deviceId === b.deviceId && equalBytes(a.accountId, b.accountId);
}

/**
 * Whether field 6 is sent in the message inside a prekey message, and demanded there. Wherever it is present
 * it must fit. Parley and libsignal from 0.92 on do so; 0.90.0 knows no such field, and is spoken to in tests.
 */
export interface WireRules {
  readonly addressesInPrekeyMessages: boolean;
}

export const PARLEY_WIRE: WireRules = { addressesInPrekeyMessages: true };

export function addressesFit(
  message: ReadSignalMessage,
  expected: Uint8Array,
  demanded: boolean,
): boolean {
  return message.addresses === undefined ? !demanded : equalBytes(message.addresses, expected);
}

function fixedWidth({ accountId, deviceId }: Address): Uint8Array {
  return concatBytes(Uint8Array.of(ACCOUNT_KIND), accountId, Uint8Array.of(deviceId));
}
