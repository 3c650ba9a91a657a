import { ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { testFolder } from "../fixtures/embedded.ts";
import { INTERNAL_PORT, internalPortOf } from "../fixtures/internal-port.ts";
import { Person } from "../fixtures/person.ts";
import { connectTo, startServer } from "../fixtures/server-process.ts";

test("what a conversation does is what the internal port counts", async () => {
  const server = await startServer({ dataFolder: testFolder(), args: INTERNAL_PORT });
  const internal = internalPortOf(server);
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const [a, b] = [await connectTo(server.origin), await connectTo(server.origin)];
  await a.signUp(alice);
  await b.signUp(bob);
  await a.hello(alice);
  await b.hello(bob);
  for (let index = 0; index < 10; index++) await a.send(alice, bob, { text: `number ${index}` });
  await b.deliveries(10);
  b.ack(10n);
  await b.drain();
  const lookUp = a.request("lookUpHandle", {
    case: "lookUpHandle",
    value: { handle: "nobody.of.that.name" },
  });
  await expect(lookUp).rejects.toMatchObject({ code: ErrorCode.NOT_FOUND });

  const samples = await internal.scrape();
  expect(Object.fromEntries(samples)).toMatchObject({
    parley_connections: 2,
    parley_sessions: 2,
    parley_connections_opened_total: 2,
    'parley_logins_total{outcome="ok"}': 2,
    'parley_requests_total{outcome="ok",kind="sign_up"}': 2,
    'parley_requests_total{outcome="ok",kind="send_message"}': 10,
    'parley_requests_total{outcome="not_found",kind="look_up_handle"}': 1,
    parley_messages_accepted_total: 10,
    parley_envelopes_accepted_total: 10,
    parley_envelopes_delivered_total: 10,
    parley_envelopes_acked_total: 10,
    parley_delivery_latency_seconds_count: 10,
    parley_accounts: 2,
    parley_epochs: 1,
    'parley_mailbox_envelopes{tier="hot"}': 0,
    'parley_mailbox_envelopes{tier="cold"}': 0,
  });
  expect(samples.get('parley_commit_duration_seconds_count{to="log"}')).toBeGreaterThan(0);
  expect(samples.get('parley_commit_works_count{to="store"}')).toBeGreaterThan(0);
  for (const to of ["log", "store"])
    expect(samples.get(`parley_commit_bytes_total{to="${to}"}`)).toBeGreaterThan(0);
  expect(samples.get("parley_data_bytes")).toBeGreaterThan(4_096);
  const latency = samples.get("parley_delivery_latency_seconds_sum") as number;
  expect(latency).toBeGreaterThan(0);
  expect(latency).toBeLessThan(10);
});

test("what waits for somebody who is away is counted, with what fails and why", async () => {
  const server = await startServer({ dataFolder: testFolder(), args: INTERNAL_PORT });
  const internal = internalPortOf(server);
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const [a, b] = [await connectTo(server.origin), await connectTo(server.origin)];
  await a.signUp(alice);
  await b.signUp(bob);
  await a.hello(alice);
  await a.send(alice, bob, { text: "to somebody who is away" });
  await expect(a.send(alice, new Person("nobody"), { text: "to nobody" })).resolves.toBeDefined();
  const samples = await internal.scrape();
  const waiting = ["hot", "cold"].map((tier) =>
    samples.get(`parley_mailbox_envelopes{tier="${tier}"}`),
  );
  expect(waiting.reduce<number>((sum, count) => sum + (count ?? Number.NaN), 0)).toBe(1);
  expect(samples.get('parley_sends_failed_total{reason="unknown_account"}')).toBe(1);
  expect(samples.get('parley_pushes_total{outcome="sent"}')).toBe(1);
  expect(samples.get("parley_delivery_latency_seconds_count")).toBe(0);
});

test("started, live and ready; not ready while it stops, and until the end it says so", async () => {
  const server = await startServer({ dataFolder: testFolder(), args: INTERNAL_PORT });
  const internal = internalPortOf(server);
  for (const path of ["/startupz", "/livez", "/readyz"])
    expect([path, (await internal.get(path)).status]).toEqual([path, 200]);
  expect((await fetch(`${server.origin}/readyz`)).status).toBe(200);
  expect(JSON.parse((await internal.get("/readyz")).text)).toEqual({
    status: "ready",
    checks: [
      { name: "draining", ok: true, detail: "no" },
      { name: "store", ok: true, detail: "writable" },
      { name: "event_loop", ok: true, detail: expect.stringMatching(/^lag \d+ ms$/) },
    ],
  });
  // A step of linking that nobody answers holds the drain up for as long as it may.
  const waiting = await connectTo(server.origin);
  const takeLinkStep = { address: new Uint8Array(16), step: 1, waitMs: 60_000 };
  waiting.sendFrame({ requestId: 1, request: { case: "takeLinkStep", value: takeLinkStep } });
  await waiting.request("putLinkStep", {
    case: "putLinkStep",
    value: { address: new Uint8Array(16).fill(1), step: 1, payload: Uint8Array.of(1) },
  });
  server.signal("SIGTERM");
  await waiting.frame("moving");
  const { status, text } = await internal.get("/readyz");
  expect([status, JSON.parse(text).checks[0]]).toEqual([
    503,
    { name: "draining", ok: false, detail: "the server is stopping" },
  ]);
  expect((await internal.get("/livez")).status).toBe(200);
  waiting.wire?.close();
  expect(await server.exited).toEqual({ code: 0, signal: null });
}, 20_000);

test("without being asked for there is no second port, so that several servers start beside each other", async () => {
  const servers = await Promise.all([0, 1].map(() => startServer({ dataFolder: testFolder() })));
  for (const server of servers) expect(server.log()).not.toContain("internal-port-listening");
});
