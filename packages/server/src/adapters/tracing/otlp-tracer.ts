import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { DeliveryTrace, SendTrace, Tracer } from "../../ports/tracer.ts";
import { failureLabel } from "../metrics/labels.ts";

export interface OtlpOptions {
  /** Where spans go: OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  /** Of all sends, from 0 to 1. */
  readonly ratio: number;
  /** How long a delivery is followed. */
  readonly patienceMs?: number;
}

export interface OtlpTracer extends Tracer {
  /** Sends what is left. */
  close(): Promise<void>;
}

/** A device that has not answered by then is away, which a trace does not wait for. */
const PATIENCE_MS = 60_000;
/** Followed at a time, about 2 kB each; above it nothing more is chosen. */
const UNDER_WAY_MAX = 2_000;
/** The end of the process waits no longer for a collector. */
const CLOSE_MS = 3_000;

// To a span that has ended the SDK objects, at the price of a stack trace.
const finish = (span: Span) => span.isRecording() && span.end();
const note = (span: Span, event: string) => void (span.isRecording() && span.addEvent(event));

/** Spans `send`, `commit` and `deliver` of some messages. They tell when, and nothing of whom. */
export function otlpTracer({ endpoint, ratio, patienceMs = PATIENCE_MS }: OtlpOptions): OtlpTracer {
  const provider = new TracerProvider({
    // Not the SDK's own: that names the host and what the process was started with.
    resource: resourceFromAttributes({ "service.name": "parley" }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: endpoint }) }),
    ],
  });
  const spans = provider.getTracer("parley");
  let underWay = 0;

  const sendReceived = (): SendTrace | undefined => {
    if (underWay >= UNDER_WAY_MAX || Math.random() >= ratio) return undefined;
    const send = spans.startSpan("send", { kind: SpanKind.SERVER }, ROOT_CONTEXT);
    const within = trace.setSpan(ROOT_CONTEXT, send);
    const commit = spans.startSpan("commit", {}, within);
    const end = once(() => {
      finish(commit);
      send.end();
    }, patienceMs);
    return {
      committed: () => void finish(commit),
      accepted: end,
      failed: (reason) => {
        send.setStatus({ code: SpanStatusCode.ERROR, message: failureLabel(reason) });
        end();
      },
      delivery: (): DeliveryTrace => {
        const deliver = spans.startSpan("deliver", { kind: SpanKind.PRODUCER }, within);
        const ended = once(() => deliver.end(), patienceMs);
        return {
          written: () => note(deliver, "written"),
          acked: () => {
            note(deliver, "acked");
            ended();
          },
        };
      },
    };
  };

  /** Runs when it is called, or when nobody has called it for that long. */
  function once(run: () => void, withinMs: number): () => void {
    let isDone = false;
    underWay++;
    const end = () => {
      if (isDone) return;
      isDone = true;
      underWay--;
      clearTimeout(timer);
      run();
    };
    const timer = setTimeout(end, withinMs);
    timer.unref();
    return end;
  }

  return {
    sendReceived,
    close: async () => {
      const patience = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      // A collector that is gone is no reason to end with an error.
      await Promise.race([provider.shutdown().catch(() => undefined), patience]);
    },
  };
}
