import type { CommitTarget, Gauge } from "../../ports/metrics.ts";
import type { Counts } from "./counts.ts";
import type { Histogram } from "./histogram.ts";
import { closeLabel, failureLabel, outcomeLabel, snakeCase } from "./labels.ts";

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: (counts: Counts) => Iterable<Sample>;
}

/** Several gauges are one metric by tier. */
interface GaugeMetric {
  readonly name: string;
  readonly help: string;
  readonly of: readonly Gauge[];
}

export interface LabelledHistogram {
  readonly labels: Readonly<Record<string, string>>;
  readonly counted: Histogram;
}

interface HistogramMetric {
  readonly name: string;
  readonly help: string;
  readonly scale: number;
  readonly read: (counts: Counts) => readonly LabelledHistogram[];
}

const SECONDS_PER_MS = 0.001;

/** What operators see, by its public name; a name that is here once stays. docs/OPERATIONS.md has the same list. */
export const COUNTERS: readonly Metric[] = [
  {
    name: "parley_connections_opened_total",
    help: "Connections that came.",
    read: one((counts) => counts.connectionsOpened),
  },
  {
    name: "parley_connections_closed_total",
    help: "Connections that ended, by the close code's name; peer: the other side ended it.",
    labels: ["reason"],
    read: (counts) => by("reason", closeLabel, counts.connectionsClosed.entries()),
  },
  {
    name: "parley_logins_total",
    help: "Logins of devices, by outcome: ok or refused.",
    labels: ["outcome"],
    read: ({ logins, loginsRefused }) => [
      { labels: { outcome: "ok" }, value: logins },
      { labels: { outcome: "refused" }, value: loginsRefused },
    ],
  },
  {
    name: "parley_requests_total",
    help: "Requests, by kind, and by outcome: ok, or the name of the error code.",
    labels: ["kind", "outcome"],
    read: requests,
  },
  {
    name: "parley_refusals_total",
    help: "What a limit refused, by its name in the settings; dry_run true: would have refused.",
    labels: ["limit", "dry_run"],
    read: ({ refusals, dryRunRefusals }) => [
      ...by("limit", snakeCase, refusals.entries(), { dry_run: "false" }),
      ...by("limit", snakeCase, dryRunRefusals.entries(), { dry_run: "true" }),
    ],
  },
  {
    name: "parley_messages_accepted_total",
    help: "Messages that are durable, and whose senders were told so.",
    read: one((counts) => counts.messagesAccepted),
  },
  {
    name: "parley_envelopes_accepted_total",
    help: "Envelopes of accepted messages, one for each device.",
    read: one((counts) => counts.envelopesAccepted),
  },
  {
    name: "parley_sends_failed_total",
    help: "Durable sends that were not accepted, by reason.",
    labels: ["reason"],
    read: (counts) => by("reason", failureLabel, counts.sendsFailed.entries()),
  },
  {
    name: "parley_mailboxes_skipped_total",
    help: "Mailboxes that accepted messages left out: full, or their device away for too long.",
    read: one((counts) => counts.mailboxesSkipped),
  },
  {
    name: "parley_envelopes_delivered_total",
    help: "Envelopes written to the sockets of devices, repeats included.",
    read: one((counts) => counts.envelopesDelivered),
  },
  {
    name: "parley_envelopes_acked_total",
    help: "Envelopes that devices have acknowledged.",
    read: one((counts) => counts.envelopesAcked),
  },
  {
    name: "parley_pushes_total",
    help: "Pushes to devices that are not connected, by outcome: sent or failed.",
    labels: ["outcome"],
    read: ({ pushes, pushesFailed }) => [
      { labels: { outcome: "sent" }, value: pushes },
      { labels: { outcome: "failed" }, value: pushesFailed },
    ],
  },
  {
    name: "parley_commit_bytes_total",
    help: "Bytes that commits wrote; to: log or store, as below.",
    labels: ["to"],
    read: perTarget((commits) => commits.bytes),
  },
  {
    name: "parley_commit_failures_total",
    help: "Commits that could not be written, such as on a full disk.",
    labels: ["to"],
    read: perTarget((commits) => commits.failed),
  },
  {
    name: "parley_envelopes_damaged_total",
    help: "Stored envelopes that are not what was written; they are not served.",
    read: one((counts) => counts.envelopesDamaged),
  },
];

export const GAUGES: readonly GaugeMetric[] = [
  { name: "parley_connections", help: "Connections that are open.", of: ["connections"] },
  {
    name: "parley_sessions",
    help: "Connections on which a device is logged in.",
    of: ["sessions"],
  },
  {
    name: "parley_buffered_bytes",
    help: "Bytes that were sent to clients and that they have not taken yet.",
    of: ["bufferedBytes"],
  },
  {
    name: "parley_mailbox_envelopes",
    help: "Envelopes that wait for devices; hot: in memory and the mail log, cold: in the store.",
    of: ["hotEnvelopes", "coldEnvelopes"],
  },
  {
    name: "parley_mailbox_hot_bytes",
    help: "Bytes of envelopes that wait for devices and are kept in memory.",
    of: ["hotBytes"],
  },
  {
    name: "parley_data_bytes",
    help: "Bytes of all files in the data folder.",
    of: ["storeBytes"],
  },
  { name: "parley_accounts", help: "Accounts on this server.", of: ["accounts"] },
  {
    name: "parley_epochs",
    help: "Epochs that are kept: starts of the last 90 days.",
    of: ["epochs"],
  },
];

export const HISTOGRAMS: readonly HistogramMetric[] = [
  {
    name: "parley_delivery_latency_seconds",
    help: "From a send's arrival until its envelope was written to a recipient who was connected.",
    scale: SECONDS_PER_MS,
    read: (counts) => [{ labels: {}, counted: counts.deliveryMs }],
  },
  {
    name: "parley_commit_duration_seconds",
    help: "Of a commit, with its fsync; to log: mail that is accepted, to store: all the rest.",
    scale: SECONDS_PER_MS,
    read: histogramPerTarget((commits) => commits.ms),
  },
  {
    name: "parley_commit_fsync_seconds",
    help: "Of the fsync of a commit.",
    scale: SECONDS_PER_MS,
    read: histogramPerTarget((commits) => commits.fsyncMs),
  },
  {
    name: "parley_commit_works",
    help: "Pieces of work that one commit made durable.",
    scale: 1,
    read: histogramPerTarget((commits) => commits.works),
  },
];

function one(pick: (counts: Counts) => number): Metric["read"] {
  return (counts) => [{ value: pick(counts) }];
}

type CommitCounts = Counts["commits"][CommitTarget];

const TARGETS: readonly CommitTarget[] = ["log", "store"];

function perTarget(pick: (commits: CommitCounts) => number): Metric["read"] {
  return ({ commits }) => TARGETS.map((to) => ({ labels: { to }, value: pick(commits[to]) }));
}

function histogramPerTarget(pick: (commits: CommitCounts) => Histogram): HistogramMetric["read"] {
  return ({ commits }) => TARGETS.map((to) => ({ labels: { to }, counted: pick(commits[to]) }));
}

function by<Label>(
  name: string,
  textOf: (label: Label) => string,
  counted: Iterable<readonly [label: Label, count: number]>,
  more: Record<string, string> = {},
): Sample[] {
  return [...counted].map(([label, value]) => ({
    labels: { [name]: textOf(label), ...more },
    value,
  }));
}

function requests(counts: Counts): Sample[] {
  return [...counts.requests].flatMap(([kind, outcomes]) =>
    by("outcome", outcomeLabel, outcomes.entries(), { kind: snakeCase(kind) }),
  );
}
