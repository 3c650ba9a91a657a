import { ErrorCode, ProtocolError, type SetPresenceRequest } from "@parley/protocol";
import type { Context } from "../context.ts";
import type { DeviceSession } from "../core/device-session.ts";
import { compact } from "../lib/compact-bytes.ts";

const TOKEN_HASH_BYTES = 32;

/** Who may see this account, and whether the person is at this device. */
export async function setPresence(
  { limits, presence }: Pick<Context, "limits" | "presence">,
  session: DeviceSession,
  { tokenHash, shareLastSeen, active }: SetPresenceRequest,
): Promise<Record<string, never>> {
  await limits.spend("presenceRequestsPerMinute", session.accountId);
  if (tokenHash.length !== 0 && tokenHash.length !== TOKEN_HASH_BYTES)
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, "not the hash of a token");
  await presence.set(session, {
    tokenHash: tokenHash.length === 0 ? undefined : compact(tokenHash),
    sharesLastSeen: shareLastSeen,
    isActive: active,
  });
  return {};
}
