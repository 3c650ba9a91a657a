import type { DeviceSession } from "../core/device-session.ts";

/** Answered by the stream itself, behind everything that was accepted before this question. */
export function drainMailbox(session: DeviceSession, requestId: number): void {
  session.stream.drain(requestId);
}
