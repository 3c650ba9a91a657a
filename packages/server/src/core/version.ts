import {
  ErrorCode,
  negotiateVersion,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
  ProtocolError,
} from "@parley/protocol";

export const VERSIONS = { min: PROTOCOL_VERSION_MIN, max: PROTOCOL_VERSION_MAX };

/** A client has seen our range in the challenge and names the one version that it speaks from here on. */
export function requireVersion(version: number): number {
  const common = negotiateVersion(VERSIONS, { min: version, max: version });
  if (common !== undefined) return common;
  throw new ProtocolError(
    ErrorCode.VERSION_NOT_SUPPORTED,
    `versions ${VERSIONS.min} to ${VERSIONS.max} are spoken here`,
  );
}
