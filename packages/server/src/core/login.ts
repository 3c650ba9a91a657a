import { timingSafeEqual } from "node:crypto";
import {
  concatBytes,
  ErrorCode,
  type Login,
  ProtocolError,
  type StartRecoveryRequest,
} from "@parley/protocol";
import type { ListedDevice } from "../ports/account-store.ts";
import { verifyLabelled } from "./keys.ts";
import { LABELS } from "./labels.ts";

/** Who has connected and has not logged in. */
export interface Visitor {
  /** This connection's, and no other's. */
  readonly challenge: Uint8Array;
  readonly origins: readonly string[];
  /** Names the address of the other end to the counters of limits (visitor-key.ts); undefined: it has none. */
  readonly addressKey?: string | undefined;
}

/**
 * The device that has signed this connection's challenge for one of this server's origins, or throws
 * LOGIN_REFUSED. An answer to another server's challenge, or to an earlier one, is worth nothing here.
 */
export function checkLogin(
  { challenge, origins }: Visitor,
  login: Login,
  devices: readonly ListedDevice[],
): ListedDevice {
  const { origin, accountId, deviceId, signature } = login;
  if (!origins.includes(origin)) refuse("another origin");
  const device = devices.find((each) => each.deviceId === deviceId);
  if (device === undefined) refuse("a device that is not listed");
  const body = concatBytes(
    ...[lengthPrefixed(origin), challenge],
    ...[accountId, Uint8Array.of(deviceId)],
  );
  if (!verifyLabelled(device.identityKey, LABELS.login, { body, signature }))
    refuse("the signature does not fit");
  return device;
}

/** Whoever has signed this connection's challenge with the root key: the holder of the recovery code. */
export function checkRecovery(
  { challenge, origins }: Visitor,
  { origin, rootKey, signature }: StartRecoveryRequest,
): void {
  if (!origins.includes(origin)) refuse("another origin");
  const body = concatBytes(lengthPrefixed(origin), challenge);
  if (!verifyLabelled(rootKey, LABELS.recoveryLogin, { body, signature }))
    refuse("the signature does not fit");
}

function lengthPrefixed(text: string): Uint8Array {
  const bytes = Buffer.from(text, "utf8");
  return concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
}

export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function refuse(problem: string): never {
  throw new ProtocolError(ErrorCode.LOGIN_REFUSED, problem);
}
