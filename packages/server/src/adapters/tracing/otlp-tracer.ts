import { type Context, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { DeliveryTrace, SendTrace, Tracer } from "../../ports/tracer.ts";
import { failureLabel } from "../metrics/labels.ts";

export interface OtlpOptions {
  /** Where spans go: OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  /** For that header; empty: none. */
  readonly authorization?: string;
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

/** With fractions: of spans that begin in the past the SDK would know whole milliseconds only. */
const nowMs = () => performance.timeOrigin + performance.now();

/** Spans `send`, `commit` and `deliver` of some messages. They tell when, and nothing of whom. */
export function otlpTracer(options: OtlpOptions): OtlpTracer {
  const { endpoint, authorization = "", ratio, patienceMs = PATIENCE_MS } = options;
  const headers = authorization === "" ? {} : { authorization };
  const provider = new TracerProvider({
    // Not the SDK's own: that names the host and what the process was started with.
    resource: resourceFromAttributes({ "service.name": "parley" }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: endpoint, headers }) }),
    ],
  });
  const spans = provider.getTracer("parley");
  let underWay = 0;

  /** Ends when it is told to, once; by itself if nobody tells it. */
  const begin = (name: string, startTime: number, within: Context): Followed => {
    const span = spans.startSpan(name, { startTime }, within);
    underWay++;
    const end = () => {
      if (!span.isRecording()) return;
      underWay--;
      clearTimeout(timer);
      span.end(nowMs());
    };
    const timer = setTimeout(end, patienceMs);
    timer.unref();
    return { span, end };
  };

  return {
    sendReceived: () => {
      if (underWay >= UNDER_WAY_MAX || Math.random() >= ratio) return undefined;
      return sendTrace(begin);
    },
    close: async () => {
      const patience = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      // A collector that is gone is no reason to end with an error.
      await Promise.race([provider.shutdown().catch(() => undefined), patience]);
    },
  };
}

interface Followed {
  readonly span: Span;
  end(): void;
}
type Begin = (name: string, startTime: number, within: Context) => Followed;

function sendTrace(begin: Begin): SendTrace {
  const receivedAt = nowMs();
  const send = begin("send", receivedAt, ROOT_CONTEXT);
  const within = trace.setSpan(ROOT_CONTEXT, send.span);
  const commit = begin("commit", receivedAt, within);
  let committedAt = receivedAt;
  const end = () => {
    commit.end();
    send.end();
  };
  return {
    committed: () => {
      committedAt = nowMs();
      commit.end();
    },
    accepted: end,
    failed: (reason) => {
      if (!send.span.isRecording()) return;
      send.span.setStatus({ code: SpanStatusCode.ERROR, message: failureLabel(reason) });
      end();
    },
    delivery: () => deliveryTrace(() => begin("deliver", committedAt, within)),
  };
}

function deliveryTrace(begin: () => Followed): DeliveryTrace {
  let followed: Followed | undefined;
  const note = (event: string) => {
    if (followed?.span.isRecording()) followed.span.addEvent(event, nowMs());
  };
  return {
    written: () => {
      followed ??= begin();
      note("written");
    },
    acked: () => {
      note("acked");
      followed?.end();
    },
  };
}
