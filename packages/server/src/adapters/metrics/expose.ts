import { Counter, collectDefaultMetrics, Gauge, type Registry } from "prom-client";
import { COUNTERS, GAUGES, HISTOGRAMS, type Metric } from "./catalogue.ts";
import type { Counts } from "./counts.ts";
import { ReadHistogram } from "./read-histogram.ts";

/** Whatever is counted, and what Node tells of its process, read when somebody asks. */
export function expose(counts: Counts, registry: Registry): void {
  for (const metric of COUNTERS)
    new Counter({
      ...described(metric, registry),
      collect() {
        this.reset();
        for (const { labels = {}, value } of metric.read(counts)) this.inc(labels, value);
      },
    });
  for (const { name, help, of } of GAUGES) {
    const labelNames = of.length > 1 ? ["tier"] : [];
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        this.reset();
        // What nobody can read now has no line: prom-client would make a zero of it.
        if (labelNames.length === 0) this.remove();
        for (const each of of) {
          const read = counts.gauges.get(each);
          const labels = of.length > 1 ? { tier: tierOf(each) } : {};
          if (read !== undefined) this.set(labels, await read());
        }
      },
    });
  }
  for (const { name, help, scale, read } of HISTOGRAMS)
    new ReadHistogram({ name, help, scale, registry }, read(counts));
  collectDefaultMetrics({ register: registry });
}

function described({ name, help, labels = [] }: Metric, registry: Registry) {
  return { name, help, labelNames: labels, registers: [registry] };
}

/** Of one of several gauges that are one metric: `hot` of `hotEnvelopes`. */
function tierOf(gauge: string): string {
  return gauge.replace(/[A-Z].*/, "");
}
