import type { Context } from "../context.ts";
import type { DeviceSession } from "../core/device-session.ts";
import { addressKey } from "../ports/device-address.ts";

/** Answered by the stream itself, behind everything that was accepted before this question. */
export async function drainMailbox(
  { limits }: Pick<Context, "limits">,
  session: DeviceSession,
  requestId: number,
): Promise<void> {
  await limits.spend("drainsPerMinute", addressKey(session.address));
  session.stream.drain(requestId);
}
