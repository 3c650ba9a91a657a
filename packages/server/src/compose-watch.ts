import type { OtlpTracer } from "./adapters/tracing/otlp-tracer.ts";
import type { Config } from "./config/config.ts";
import { type Metrics, NO_METRICS } from "./ports/metrics.ts";
import { NO_TRACER, type Tracer } from "./ports/tracer.ts";

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** What watches a process's server from within. */
export interface Watch {
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  /** Everything that is counted, as Prometheus reads it. */
  exposition(): Promise<Exposition>;
  /** Sends what is left to be sent. */
  close(): Promise<void>;
}

/** As `compose.ts`: names adapters. Loads what the configuration asks for, and nothing else. */
export async function composeWatch({
  metrics,
  tracing,
}: Pick<Config, "metrics" | "tracing">): Promise<Watch> {
  const counting = metrics.enabled ? await prometheus() : NOT_COUNTING;
  const tracer = tracing.endpoint === "" ? undefined : await otlp(tracing);
  return {
    ...counting,
    tracer: tracer ?? NO_TRACER,
    close: async () => tracer?.close(),
  };
}

type Counting = Pick<Watch, "metrics" | "exposition">;

const NOT_COUNTING: Counting = {
  metrics: NO_METRICS,
  exposition: async () => ({ contentType: "text/plain", text: "" }),
};

async function prometheus(): Promise<Counting> {
  const { PrometheusMetrics } = await import("./adapters/metrics/prometheus-metrics.ts");
  const metrics = new PrometheusMetrics();
  return { metrics, exposition: () => metrics.exposition() };
}

async function otlp(tracing: Config["tracing"]): Promise<OtlpTracer> {
  const { otlpTracer } = await import("./adapters/tracing/otlp-tracer.ts");
  return otlpTracer(tracing);
}
