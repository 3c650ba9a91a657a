import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { testFolder } from "../fixtures/embedded.ts";
import { INTERNAL_PORT } from "../fixtures/internal-port.ts";
import { otlpReceiver } from "../fixtures/otlp-receiver.ts";
import { Person } from "../fixtures/person.ts";
import { connectTo, startServer } from "../fixtures/server-process.ts";

const TELL_LOADED = fileURLToPath(new URL("../fixtures/tell-loaded.mjs", import.meta.url));

/** Packages that a server has loaded by its end. */
async function loadedBy(args: readonly string[]): Promise<readonly string[]> {
  const server = await startServer({
    dataFolder: testFolder(),
    args,
    under: ["env", `NODE_OPTIONS=--import=${TELL_LOADED}`],
  });
  server.signal("SIGTERM");
  await server.exited;
  const [, names] = /^loaded: (.*)$/m.exec(server.output()) ?? [];
  if (names === undefined) throw new Error(`it does not say: ${server.output()}`);
  return names.split(" ").filter((name) => /prom-client|opentelemetry/.test(name));
}

test("nothing for traces or metrics is loaded unless it is asked for", async () => {
  expect(await loadedBy([])).toEqual([]);
  // The interface that prom-client itself depends on, and nothing that records.
  expect(await loadedBy(INTERNAL_PORT)).toEqual(["prom-client", "@opentelemetry/api"]);
  const traced = await loadedBy(["--tracing.endpoint", "http://127.0.0.1:9/v1/traces"]);
  expect(traced).toContain("@opentelemetry/sdk-trace");
  expect(traced).not.toContain("prom-client");
}, 30_000);

test("a message is one trace from its send to its delivery, and names nobody", async () => {
  const { endpoint, spans, body } = await otlpReceiver();
  const server = await startServer({
    dataFolder: testFolder(),
    args: ["--tracing.endpoint", endpoint, "--tracing.ratio", "1"],
  });
  const [alice, bob] = [new Person("alice.with.a.handle"), new Person("bob.with.a.handle")];
  const [a, b] = [await connectTo(server.origin), await connectTo(server.origin)];
  await a.signUp(alice);
  await b.signUp(bob);
  await a.hello(alice);
  await b.hello(bob);
  await b.drain();
  for (const text of ["one", "two"]) await a.send(alice, bob, { text });
  await b.deliveries(2);
  b.ack(2n);
  await b.drain();
  await a.send(alice, new Person("nobody"), { text: "to nobody" });
  server.signal("SIGTERM");
  expect((await server.exited).code).toBe(0);

  const traces = [...Map.groupBy(spans, ({ traceId }) => traceId).values()].map((trace) =>
    trace.map(({ name }) => name).toSorted(),
  );
  expect(traces.toSorted((one, other) => other.length - one.length)).toEqual([
    ["commit", "deliver", "send"],
    ["commit", "deliver", "send"],
    ["commit", "send"],
  ]);
  const failed = spans.filter(({ status }) => status?.code === 2);
  expect(failed.map(({ name, status }) => [name, status?.message])).toEqual([
    ["send", "unknown_account"],
  ]);
  for (const { name, events } of spans.filter((span) => span.name === "deliver"))
    expect([name, events?.map((event) => event.name)]).toEqual(["deliver", ["written", "acked"]]);
  for (const secret of ["alice", "bob", alice.id, bob.id, "127.0.0.1"])
    expect(body()).not.toContain(secret);
}, 20_000);
