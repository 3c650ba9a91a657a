import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Challenge,
  ErrorCode,
  type HelloRequestSchema,
  negotiateVersion,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
  ProtocolError,
  type SignUpRequestSchema,
  type SignUpResponse,
  type Welcome,
} from "@parley/protocol";
import { BATCH_BYTES_MAX, BATCH_ENVELOPES_MAX } from "./inbound-queue.ts";

/** What this device says of itself at the beginning of a connection. */
export interface Login {
  hello(challenge: Challenge): Promise<HelloOfDevice>;
  /** For a server that lost this account: it returns with its receipt (delivery.md 5). */
  signUpAgain(challenge: Challenge): Promise<SignUpOfDevice>;
  signedUpAgain(response: SignUpResponse): Promise<void>;
  /** Before anything is sent. Resolves with: this device's data was rolled back. */
  welcomed(welcome: Welcome): Promise<boolean>;
}

type Without<T, K extends string> = Omit<T, K | "$typeName" | "$unknown">;
export type HelloOfDevice = Without<
  Exclude<MessageInitShape<typeof HelloRequestSchema>, { $typeName: string }>,
  "version" | "window"
>;
export type SignUpOfDevice = Without<
  Exclude<MessageInitShape<typeof SignUpRequestSchema>, { $typeName: string }>,
  "version"
>;

/** What the server may have under way to this device, unacknowledged. */
export interface FlowWindow {
  readonly envelopes: number;
  readonly bytes: number;
}

/** Two batches: one is handled while the next arrives. */
export const WINDOW: FlowWindow = {
  envelopes: 2 * BATCH_ENVELOPES_MAX,
  bytes: 2 * BATCH_BYTES_MAX,
};

/** The highest version in common. Throws ProtocolError VERSION_NOT_SUPPORTED. */
export function versionWith({ versionMin, versionMax }: Challenge): number {
  const version = negotiateVersion(
    { min: PROTOCOL_VERSION_MIN, max: PROTOCOL_VERSION_MAX },
    { min: versionMin, max: versionMax },
  );
  if (version === undefined)
    throw new ProtocolError(
      ErrorCode.VERSION_NOT_SUPPORTED,
      `the server speaks versions ${versionMin} to ${versionMax}`,
    );
  return version;
}
