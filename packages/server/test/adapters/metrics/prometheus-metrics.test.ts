import { CloseCode, ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { PrometheusMetrics } from "../../../src/adapters/metrics/prometheus-metrics.ts";

/** `name{labels}` → value, of everything that is exposed. */
async function scrape(metrics: PrometheusMetrics): Promise<Map<string, number>> {
  const lines = (await metrics.exposition()).text.split("\n");
  return new Map(
    lines
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const space = line.lastIndexOf(" ");
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}

test("what was told is what is exposed", async () => {
  const metrics = new PrometheusMetrics();
  metrics.connectionOpened();
  metrics.connectionOpened();
  metrics.connectionClosed(CloseCode.SLOW_READER);
  metrics.connectionClosed(0);
  metrics.loggedIn();
  metrics.loginRefused();
  metrics.handled("sendMessage", 0);
  metrics.handled("sendMessage", ErrorCode.RATE_LIMITED);
  metrics.accepted(3);
  metrics.sendFailed("device-list-mismatch");
  metrics.sendFailed(ErrorCode.MAILBOX_FULL);
  metrics.skipped(2);
  metrics.delivered(64);
  metrics.acked(63);
  metrics.pushed(true);
  metrics.pushed(false);
  metrics.committed({ to: "log", works: 5, bytes: 4_096, ms: 2.5, fsyncMs: 2 });
  metrics.commitFailed("store");
  metrics.damaged(1);
  metrics.refused("send", false);
  metrics.refused("sign-up", true);
  metrics.gauge("connections", () => 7);
  metrics.gauge("hotBytes", () => 100);
  metrics.gauge("hotEnvelopes", () => 3);
  metrics.gauge("coldEnvelopes", async () => 4);

  expect(Object.fromEntries(await scrape(metrics))).toMatchObject({
    parley_connections_opened_total: 2,
    'parley_connections_closed_total{reason="slow_reader"}': 1,
    'parley_connections_closed_total{reason="peer"}': 1,
    'parley_logins_total{outcome="ok"}': 1,
    'parley_logins_total{outcome="refused"}': 1,
    'parley_requests_total{outcome="ok",kind="send_message"}': 1,
    'parley_requests_total{outcome="rate_limited",kind="send_message"}': 1,
    'parley_requests_total{outcome="ok",kind="hello"}': 0,
    parley_messages_accepted_total: 1,
    parley_envelopes_accepted_total: 3,
    'parley_sends_failed_total{reason="device_list_mismatch"}': 1,
    'parley_sends_failed_total{reason="mailbox_full"}': 1,
    parley_mailboxes_skipped_total: 2,
    parley_envelopes_delivered_total: 64,
    parley_envelopes_acked_total: 63,
    'parley_pushes_total{outcome="sent"}': 1,
    'parley_pushes_total{outcome="failed"}': 1,
    'parley_commit_bytes_total{to="log"}': 4_096,
    'parley_commit_bytes_total{to="store"}': 0,
    'parley_commit_failures_total{to="store"}': 1,
    parley_envelopes_damaged_total: 1,
    'parley_commit_duration_seconds_bucket{to="log",le="0.002"}': 0,
    'parley_commit_duration_seconds_bucket{to="log",le="0.003"}': 1,
    'parley_commit_fsync_seconds_bucket{to="log",le="0.002"}': 1,
    'parley_commit_duration_seconds_sum{to="log"}': 0.0025,
    'parley_commit_works_bucket{to="log",le="8"}': 1,
    'parley_refusals_total{limit="send",dry_run="false"}': 1,
    'parley_refusals_total{limit="sign_up",dry_run="true"}': 1,
    parley_connections: 7,
    parley_mailbox_hot_bytes: 100,
    'parley_mailbox_envelopes{tier="hot"}': 3,
    'parley_mailbox_envelopes{tier="cold"}': 4,
  });
});

test("two scrapes in a row say the same", async () => {
  const metrics = new PrometheusMetrics();
  metrics.accepted(2);
  metrics.deliveryLatency(3);
  const ours = async () =>
    [...(await scrape(metrics))].filter(([name]) => name.startsWith("parley_"));
  expect(await ours()).toEqual(await ours());
});

test("a gauge that nobody can read has no line, and one whose reader changes follows it", async () => {
  const metrics = new PrometheusMetrics();
  expect((await scrape(metrics)).has("parley_connections")).toBe(false);
  let open = 1;
  metrics.gauge("connections", () => open);
  expect((await scrape(metrics)).get("parley_connections")).toBe(1);
  open = 5;
  expect((await scrape(metrics)).get("parley_connections")).toBe(5);
});

test("from the latencies' buckets p50, p99 and p999 are read to within a third", async () => {
  const metrics = new PrometheusMetrics();
  // Log-normal, as latencies are: a median of 4 ms, and a tail.
  const values = Array.from({ length: 20_000 }, (_, index) => 4 * Math.exp(1.2 * probit(index)));
  for (const value of values) metrics.deliveryLatency(value);
  const sorted = values.toSorted((a, b) => a - b);
  const buckets = [...(await scrape(metrics))]
    .filter(([name]) => name.startsWith("parley_delivery_latency_seconds_bucket"))
    .map(([name, count]) => ({ ms: Number(/le="(.*)"/.exec(name)?.[1]) * 1_000, count }));
  expect(buckets.length).toBe(25);
  expect(buckets.at(-2)?.ms).toBe(60_000);
  for (const quantile of [0.5, 0.99, 0.999]) {
    const real = sorted[Math.floor(quantile * sorted.length)] as number;
    expect(interpolated(buckets, quantile) / real).toBeGreaterThan(0.67);
    expect(interpolated(buckets, quantile) / real).toBeLessThan(1.34);
  }
});

test("labels stay few, whatever is told", async () => {
  const metrics = new PrometheusMetrics();
  for (let index = 0; index < 10_000; index++) {
    metrics.handled(`kind${index}`, (10_000 + index) as ErrorCode);
    metrics.refused(`limit${index}`, false);
    metrics.connectionClosed(50_000 + index);
  }
  const ours = [...(await scrape(metrics))].filter(([name]) => name.startsWith("parley_"));
  expect(ours.length).toBeLessThan(400);
  expect(new Set(ours.map(([name]) => name)).size).toBe(ours.length);
});

test("Node's own are there: event loop lag, heap, garbage collection, descriptors", async () => {
  const names = [...(await scrape(new PrometheusMetrics())).keys()].join("\n");
  for (const name of [
    "nodejs_eventloop_lag_p99_seconds",
    "nodejs_heap_size_used_bytes",
    "process_open_fds",
    "process_resident_memory_bytes",
  ])
    expect(names).toContain(name);
  const help = await new PrometheusMetrics().registry.metrics();
  expect(help).toContain("# HELP nodejs_gc_duration_seconds");
});

/** What Prometheus' histogram_quantile does. */
function interpolated(buckets: { ms: number; count: number }[], quantile: number): number {
  const rank = quantile * (buckets.at(-1)?.count as number);
  const index = buckets.findIndex(({ count }) => count >= rank);
  const [below, bucket] = [buckets[index - 1] ?? { ms: 0, count: 0 }, buckets[index]];
  if (bucket === undefined) throw new Error("no buckets");
  return (
    below.ms + ((bucket.ms - below.ms) * (rank - below.count)) / (bucket.count - below.count || 1)
  );
}

/** Evenly spread quantiles of the normal distribution (Box and Muller, over a lattice). */
function probit(index: number): number {
  const golden = 0.6180339887498949;
  const a = ((index + 0.5) / 20_000) % 1;
  return Math.sqrt(-2 * Math.log(a)) * Math.cos(2 * Math.PI * ((index * golden) % 1));
}
