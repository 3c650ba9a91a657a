import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PrometheusMetrics } from "../../src/adapters/metrics/prometheus-metrics.ts";
import { LOG_EVENTS } from "../../src/ports/log-events.ts";

const OPERATIONS = readFileSync(new URL("../../../../docs/OPERATIONS.md", import.meta.url), "utf8");

/** The rows of the table under that head. */
function rowsUnder(head: string): string[] {
  const lines = OPERATIONS.split("\n");
  const first = lines.indexOf(head) + 2;
  return lines.slice(first, lines.indexOf("", first));
}

test("the table of metrics is what the registry has", async () => {
  const { registry } = new PrometheusMetrics();
  const ours = registry.getMetricsAsArray().filter(({ name }) => name.startsWith("parley_"));
  expect(ours.length).toBeGreaterThan(20);
  expect(rowsUnder("| Metric | What it tells |").toSorted()).toEqual(
    ours.map(({ name, help }) => `| \`${name}\` | ${help} |`).toSorted(),
  );
});

test("every metric that the text names is there", () => {
  const names = new Set(
    new PrometheusMetrics().registry.getMetricsAsArray().map(({ name }) => name),
  );
  const named = OPERATIONS.match(/\bparley_[a-z_]+[a-z]/g) ?? [];
  const base = (name: string) => name.replace(/_bucket$/, "");
  expect(named.filter((name) => !names.has(base(name)))).toEqual([]);
});

test("the table of events is what the log can say", () => {
  expect(rowsUnder("| Event | What it means |")).toEqual(
    Object.entries(LOG_EVENTS).map(([event, meaning]) => `| \`${event}\` | ${meaning} |`),
  );
});
