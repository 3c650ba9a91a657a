import { setTimeout as pause } from "node:timers/promises";
import { ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { otlpTracer } from "../../../src/adapters/tracing/otlp-tracer.ts";
import type { SendTrace } from "../../../src/ports/tracer.ts";
import { otlpReceiver } from "../../fixtures/otlp-receiver.ts";

test("a send, its commit and its deliveries are one trace", async () => {
  const { endpoint, spans } = await otlpReceiver();
  const tracer = otlpTracer({ endpoint, ratio: 1 });
  const send = tracer.sendReceived() as SendTrace;
  await pause(3);
  send.committed();
  const deliveries = [send.delivery(), send.delivery()];
  send.accepted();
  await pause(3);
  for (const delivery of deliveries) delivery.written();
  for (const delivery of deliveries) delivery.acked();
  await tracer.close();

  const named = (name: string) => spans.filter((span) => span.name === name);
  expect(spans.map(({ name }) => name).toSorted()).toEqual([
    "commit",
    "deliver",
    "deliver",
    "send",
  ]);
  const [root] = named("send");
  for (const child of [...named("commit"), ...named("deliver")])
    expect([child.traceId, child.parentSpanId]).toEqual([root?.traceId, root?.spanId]);
  expect(root?.parentSpanId ?? "").toBe("");
  for (const deliver of named("deliver")) {
    expect(deliver.events?.map(({ name }) => name)).toEqual(["written", "acked"]);
    expect(BigInt(deliver.startTimeUnixNano)).toBeGreaterThan(BigInt(root?.startTimeUnixNano ?? 0));
    expect(BigInt(deliver.endTimeUnixNano)).toBeGreaterThan(BigInt(root?.endTimeUnixNano ?? 0));
  }
  for (const span of spans) expect(span.attributes ?? []).toEqual([]);
});

test("a send that fails says why by its code's name alone", async () => {
  const { endpoint, spans } = await otlpReceiver();
  const tracer = otlpTracer({ endpoint, ratio: 1 });
  tracer.sendReceived()?.failed(ErrorCode.MAILBOX_FULL);
  await tracer.close();
  expect(spans.find(({ name }) => name === "send")?.status).toEqual({
    code: 2,
    message: "mailbox_full",
  });
});

test("shows the collector the authorization that it asks for, and none unasked", async () => {
  const collector = await otlpReceiver();
  for (const authorization of ["", "Bearer sesame"]) {
    const tracer = otlpTracer({ endpoint: collector.endpoint, authorization, ratio: 1 });
    tracer.sendReceived()?.accepted();
    await tracer.close();
    expect(collector.authorization()).toBe(authorization || undefined);
  }
});

test("of an envelope that waits for somebody who is away there is no span", async () => {
  const { endpoint, spans } = await otlpReceiver();
  const tracer = otlpTracer({ endpoint, ratio: 1 });
  const send = tracer.sendReceived() as SendTrace;
  send.delivery();
  send.committed();
  send.accepted();
  await tracer.close();
  expect(spans.map(({ name }) => name).toSorted()).toEqual(["commit", "send"]);
});

test("a delivery that nobody acknowledges ends after a while", async () => {
  const { endpoint, spans } = await otlpReceiver();
  const tracer = otlpTracer({ endpoint, ratio: 1, patienceMs: 20 });
  const send = tracer.sendReceived() as SendTrace;
  send.delivery().written();
  send.accepted();
  await pause(60);
  await tracer.close();
  expect(spans.find(({ name }) => name === "deliver")?.events).toHaveLength(1);
});

test("only the share that was asked for is followed, and never more than a few thousand at once", () => {
  const traced = (ratio: number, sends: number) => {
    const tracer = otlpTracer({ endpoint: "http://127.0.0.1:9/v1/traces", ratio });
    let count = 0;
    for (let index = 0; index < sends; index++) {
      const send = tracer.sendReceived();
      if (send !== undefined) count++;
    }
    return count;
  };
  expect(traced(0, 1_000)).toBe(0);
  expect(traced(1, 10_000)).toBe(1_000); // Two spans each.
  expect(traced(0.05, 10_000)).toBeGreaterThan(350);
  expect(traced(0.05, 10_000)).toBeLessThan(650);
});

test("a collector that is gone holds nothing up", async () => {
  const tracer = otlpTracer({ endpoint: "http://127.0.0.1:9/v1/traces", ratio: 1 });
  tracer.sendReceived()?.accepted();
  const began = performance.now();
  await tracer.close();
  expect(performance.now() - began).toBeLessThan(5_000);
}, 20_000);
