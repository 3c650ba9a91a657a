import { CloseCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { testFolder } from "../fixtures/embedded.ts";
import { randomBytes } from "../fixtures/keys.ts";
import { Person } from "../fixtures/person.ts";
import { connectTo, startServer } from "../fixtures/server-process.ts";
import { textOf } from "../fixtures/wire-client.ts";

for (const viaNpm of [false, true])
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    test(`${signal} ${viaNpm ? "to npm start " : ""}drains: answers what is under way, asks clients back, exits with 0`, async () => {
      const dataFolder = testFolder();
      const server = await startServer({ dataFolder, viaNpm });
      const [alice, bob] = [new Person("alice"), new Person("bob")];
      const [a, b] = [await connectTo(server.origin), await connectTo(server.origin)];
      await a.signUp(alice);
      await b.signUp(bob);
      await a.hello(alice);
      await a.send(alice, bob, { text: "before" });
      const underWay = [a.send(alice, bob, { text: "under way" })];
      await Promise.race(underWay);
      server.signal(signal);
      expect((await a.closed).code).toBe(CloseCode.SERVICE_RESTART);
      expect((await b.closed).code).toBe(CloseCode.SERVICE_RESTART);
      expect(await a.frame("moving")).toMatchObject({ reconnectAfterMs: expect.any(Number) });
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(server.log()).toMatch(/"event":"stopped"/);

      const next = await startServer({ dataFolder });
      const back = await connectTo(next.origin);
      await back.hello(bob);
      await back.drain();
      expect(back.delivered.map(textOf)).toEqual(["before", "under way"]);
    }, 20_000);

test("ends at once at a second signal", async () => {
  const server = await startServer({ dataFolder: testFolder() });
  const client = await connectTo(server.origin);
  const address = randomBytes(16);
  const takeLinkStep = { address, step: 1, waitMs: 60_000 };
  client.sendFrame({ requestId: 1, request: { case: "takeLinkStep", value: takeLinkStep } });
  await client.request("putLinkStep", {
    case: "putLinkStep",
    value: { address: randomBytes(16), step: 1, payload: Uint8Array.of(1) },
  });
  server.signal("SIGTERM");
  await client.frame("moving");
  server.signal("SIGTERM");
  expect(await server.exited).toEqual({ code: 143, signal: null });
}, 20_000);

test("prints its address, its data folder and the next command, and logs no handle and no id", async () => {
  const dataFolder = testFolder();
  const server = await startServer({ dataFolder, args: ["--log", "debug"] });
  const lines = server.output().trim().split("\n");
  expect(lines).toEqual([
    `Parley listens on ${server.origin}`,
    `Data folder: ${dataFolder}`,
    `Next, in another terminal: npx parley signup --server ${server.origin} --handle NAME`,
  ]);
  const [alice, bob] = [new Person("alice"), new Person("bob.with.a.handle")];
  const [a, b] = [await connectTo(server.origin), await connectTo(server.origin)];
  await a.signUp(alice);
  await b.signUp(bob);
  await a.hello(alice);
  await a.send(alice, bob, { text: "to somebody who is away" });
  b.sendRaw(Uint8Array.of(1));
  await b.closed;
  server.signal("SIGTERM");
  await server.exited;
  expect(server.log()).toMatch(/push/);
  for (const secret of ["alice", "bob.with", alice.id, bob.id])
    expect(server.log().toLowerCase()).not.toContain(secret);
}, 20_000);
