import { Registry } from "prom-client";
import type {
  Commit,
  CommitTarget,
  Gauge,
  GaugeReader,
  Metrics,
  Outcome,
  SendFailure,
} from "../../ports/metrics.ts";
import { Counts } from "./counts.ts";
import { expose } from "./expose.ts";
import { OTHER, type Tally } from "./tally.ts";

/** Counts in fields and arrays of its own, which prom-client reads when somebody asks. */
export class PrometheusMetrics implements Metrics {
  readonly registry = new Registry();
  readonly #counts = new Counts();
  #reading: Promise<string> | undefined;

  constructor() {
    expose(this.#counts, this.registry);
  }

  /** One reading for all who ask meanwhile: each begins by emptying what the one before filled. */
  async exposition(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#reading ??= this.registry.metrics().finally(() => {
      this.#reading = undefined;
    });
    return { contentType: this.registry.contentType, text: await this.#reading };
  }

  now(): number {
    return performance.now();
  }

  connectionOpened(): void {
    this.#counts.connectionsOpened++;
  }

  connectionClosed(closeCode: number): void {
    this.#counts.connectionsClosed.add(closeCode);
  }

  loggedIn(): void {
    this.#counts.logins++;
  }

  loginRefused(): void {
    this.#counts.loginsRefused++;
  }

  handled(kind: string, outcome: Outcome): void {
    const { requests } = this.#counts;
    const outcomes = requests.get(kind) ?? (requests.get(OTHER) as Tally<number>);
    outcomes.add(outcome);
  }

  accepted(envelopes: number): void {
    this.#counts.messagesAccepted++;
    this.#counts.envelopesAccepted += envelopes;
  }

  sendFailed(reason: SendFailure): void {
    this.#counts.sendsFailed.add(reason);
  }

  skipped(mailboxes: number): void {
    this.#counts.mailboxesSkipped += mailboxes;
  }

  delivered(envelopes: number): void {
    this.#counts.envelopesDelivered += envelopes;
  }

  deliveryLatency(ms: number): void {
    this.#counts.deliveryMs.add(ms);
  }

  acked(envelopes: number): void {
    this.#counts.envelopesAcked += envelopes;
  }

  pushed(isSent: boolean): void {
    if (isSent) this.#counts.pushes++;
    else this.#counts.pushesFailed++;
  }

  committed({ to, works, bytes, ms, fsyncMs }: Commit): void {
    const counts = this.#counts.commits[to];
    counts.works.add(works);
    counts.ms.add(ms);
    counts.fsyncMs.add(fsyncMs);
    counts.bytes += bytes;
  }

  commitFailed(to: CommitTarget): void {
    this.#counts.commits[to].failed++;
  }

  damaged(envelopes: number): void {
    this.#counts.envelopesDamaged += envelopes;
  }

  refused(limit: string, isDryRun: boolean): void {
    (isDryRun ? this.#counts.dryRunRefusals : this.#counts.refusals).add(limit);
  }

  gauge(gauge: Gauge, read: GaugeReader): void {
    this.#counts.gauges.set(gauge, read);
  }
}
