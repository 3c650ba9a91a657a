import { createHash } from "node:crypto";
import {
  ErrorCode,
  type PresenceTarget,
  ProtocolError,
  toHex,
  type WatchPresenceRequest,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import type { DeviceSession } from "../core/device-session.ts";
import type { WatchTarget } from "../core/watched-presence.ts";
import { compact } from "../lib/compact-bytes.ts";

const TOKEN_BYTES = 32;

/** Whoever shows the right tokens is told who is there; of a wrong one nothing is said. */
export async function watchPresence(
  { limits, presence }: Pick<Context, "limits" | "presence">,
  session: DeviceSession,
  request: WatchPresenceRequest,
): Promise<Record<string, never>> {
  await limits.spend("presenceRequestsPerMinute", session.accountId);
  const targets = request.targets.map(targetOf);
  if (new Set(targets.map(({ accountId }) => accountId)).size < targets.length)
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, "an account is named twice");
  await presence.watch(session, targets);
  return {};
}

/** Tokens are forgotten here: what is kept of them is their hash. */
function targetOf({ accountId, token, otherToken }: PresenceTarget): WatchTarget {
  if (otherToken.length !== 0 && otherToken.length !== TOKEN_BYTES)
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, "not a token");
  const tokens = otherToken.length === 0 ? [token] : [token, otherToken];
  return { accountId: toHex(accountId), tokenHashes: tokens.map(hashOf) };
}

function hashOf(token: Uint8Array): string {
  return compact(createHash("sha256").update(token).digest());
}
