import type { AckRequest } from "@parley/protocol";
import type { Context } from "../context.ts";
import type { DeviceSession } from "../core/device-session.ts";

/** The device has stored what it was given up to there. Not answered. */
export function ackEnvelopes(
  { mailboxes }: Pick<Context, "mailboxes">,
  session: DeviceSession,
  { upToOrdinal, stateNumber }: AckRequest,
): void {
  mailboxes.seen(session.address, stateNumber);
  session.ack(upToOrdinal);
}
