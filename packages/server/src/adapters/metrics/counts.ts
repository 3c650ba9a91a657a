import type { CommitTarget, Gauge, GaugeReader, SendFailure } from "../../ports/metrics.ts";
import { COMMIT_MS, COMMIT_WORKS, DELIVERY_MS } from "./bounds.ts";
import { Histogram } from "./histogram.ts";
import { REQUEST_KINDS } from "./labels.ts";
import { OTHER, Tally } from "./tally.ts";

class CommitCounts {
  bytes = 0;
  failed = 0;
  readonly ms = new Histogram(COMMIT_MS);
  readonly fsyncMs = new Histogram(COMMIT_MS);
  readonly works = new Histogram(COMMIT_WORKS);
}

/** What has been counted since the process began. */
export class Counts {
  connectionsOpened = 0;
  logins = 0;
  loginsRefused = 0;
  messagesAccepted = 0;
  envelopesAccepted = 0;
  mailboxesSkipped = 0;
  envelopesDelivered = 0;
  envelopesAcked = 0;
  envelopesDamaged = 0;
  pushes = 0;
  pushesFailed = 0;
  readonly connectionsClosed = new Tally<number>([0]);
  readonly sendsFailed = new Tally<SendFailure>();
  readonly refusals = new Tally<string>();
  readonly dryRunRefusals = new Tally<string>();
  readonly requests = new Map<string, Tally<number>>();
  readonly deliveryMs = new Histogram(DELIVERY_MS);
  readonly commits: Readonly<Record<CommitTarget, CommitCounts>> = {
    log: new CommitCounts(),
    store: new CommitCounts(),
  };
  readonly gauges = new Map<Gauge, GaugeReader>();

  constructor() {
    for (const kind of [...REQUEST_KINDS, OTHER]) this.requests.set(kind, new Tally([0]));
  }
}
