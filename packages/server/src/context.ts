import type { AddressKeys } from "./core/address-keys.ts";
import type { Limits } from "./core/limits.ts";
import type { LinkSteps } from "./core/link-steps.ts";
import type { PresenceDesk } from "./core/presence-desk.ts";
import type { SharedTimer } from "./core/shared-timer.ts";
import type { LogId } from "./lib/log-id.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { Metrics } from "./ports/metrics.ts";
import type { Ports } from "./ports/ports.ts";
import type { Random } from "./ports/random.ts";
import type { Tracer } from "./ports/tracer.ts";
import type { ServerSettings } from "./settings.ts";

/** What requests are answered from. A handler names the parts that it uses. */
export interface Context extends Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly logId: LogId;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly settings: ServerSettings;
  /** As old as the data folder (core/sign-up-receipt.ts). */
  readonly receiptKey: Uint8Array;
  readonly linkSteps: LinkSteps;
  readonly presence: PresenceDesk;
  /** For sessions, each after settings.refreshMs. */
  readonly refreshes: SharedTimer;
  /** For streams, each after ACK_EXPECTED_MS. */
  readonly acks: SharedTimer;
  readonly limits: Limits;
  readonly addressKeys: AddressKeys;
}
