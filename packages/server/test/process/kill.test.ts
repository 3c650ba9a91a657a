import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { testFolder } from "../fixtures/embedded.ts";
import { randomBytes } from "../fixtures/keys.ts";
import { Person, prekeysOf } from "../fixtures/person.ts";
import {
  connectTo,
  LIMITS_RAISED,
  orLost,
  type ServerProcess,
  startServer,
} from "../fixtures/server-process.ts";
import { textOf, type WireClient } from "../fixtures/wire-client.ts";

const KILLS = 8;

/** Runs `work` on a connection that logs in again whenever it was lost, until `isDone`. */
async function keepConnected(
  origin: string,
  person: Person,
  { work, isDone }: { work: (client: WireClient) => Promise<void>; isDone: () => boolean },
): Promise<void> {
  while (!isDone()) {
    try {
      const client = await connectTo(origin);
      await orLost(client, client.hello(person));
      while (!isDone()) await orLost(client, work(client));
      client.wire?.close();
    } catch (cause) {
      if (!/connection lost/.test((cause as Error).message)) throw cause;
      await pause(20);
    }
  }
}

test("loses nothing that it accepted, and gives no prekey twice, however often it is killed", async () => {
  const dataFolder = testFolder();
  let server = await startServer({ dataFolder, args: LIMITS_RAISED });
  const { port, origin } = server;
  const people = ["anna", "ben", "cleo", "dora"].map((name) => new Person(name));
  const bob = new Person("bob");
  for (const person of [...people, bob]) {
    const client = await connectTo(origin);
    await client.signUp(person);
    client.wire?.close();
  }
  const prekeys = await connectTo(origin);
  await prekeys.hello(bob);
  for (let first = 1; first <= 901; first += 100)
    await prekeys.request("uploadPrekeys", {
      case: "uploadPrekeys",
      value: prekeysOf(bob.phone, { oneTime: Array.from({ length: 100 }, (_, i) => first + i) }),
    });
  prekeys.wire?.close();

  let isDone = false;
  const accepted: string[] = [];
  const given: number[] = [];
  const received = new Set<string>();
  const senders = people.map((person, i) => {
    let [next, pending] = [0, newMessage(i, 0)];
    return keepConnected(origin, person, {
      isDone: () => isDone,
      work: async (client) => {
        // Until it is accepted the same bytes go out again.
        const { outcome } = await client.send(person, bob, pending);
        expect(outcome.case).toBe("accepted");
        accepted.push(pending.text);
        pending = newMessage(i, ++next);
      },
    });
  });
  const claiming = claimWhile(origin, { isDone: () => isDone, given, of: bob });
  const receiver = keepConnected(origin, bob, {
    isDone: () => isDone,
    work: async (client) => {
      client.acksByItself = true;
      if (client.lastOrdinal > 0n) client.ack(client.lastOrdinal);
      await pause(30);
      for (const each of client.delivered) received.add(textOf(each));
    },
  });
  for (let i = 0; i < KILLS; i++) {
    await pause(300 + Math.random() * 500);
    server.signal("SIGKILL");
    await server.exited;
    server = await startServer({ dataFolder, port, args: LIMITS_RAISED });
  }
  await pause(300);
  isDone = true;
  await Promise.all([...senders, claiming, receiver]);

  const rest = await connectTo(origin);
  rest.acksByItself = true;
  await rest.hello(bob);
  await rest.drain();
  for (const each of rest.delivered) received.add(textOf(each));
  expect(accepted.length).toBeGreaterThan(100);
  expect(accepted.filter((text) => !received.has(text))).toEqual([]);
  expect(given.length).toBeGreaterThan(50);
  expect(new Set(given).size).toBe(given.length);
  expect(server.log()).not.toMatch(/"level":"error"/);
}, 60_000);

const newMessage = (sender: number, number: number) => ({
  id: randomBytes(16),
  text: `${sender}-${number}`,
});

/** Fetches bundles as somebody of its own. */
async function claimWhile(
  origin: string,
  { isDone, given, of }: { isDone: () => boolean; given: number[]; of: Person },
): Promise<void> {
  const claimer = new Person("claimer");
  const client = await connectTo(origin);
  await client.signUp(claimer);
  client.wire?.close();
  await keepConnected(origin, claimer, {
    isDone,
    work: async (connected) => {
      const { bundles } = await connected.request("fetchPrekeyBundles", {
        case: "fetchPrekeyBundles",
        value: { accountId: of.accountId },
      });
      for (const { oneTimePrekey } of bundles) if (oneTimePrekey) given.push(oneTimePrekey.id);
      await pause(5);
    },
  });
}

test("keeps a second server out of its folder, and lets one in after kill -9", async () => {
  const dataFolder = testFolder();
  const first: ServerProcess = await startServer({ dataFolder });
  await expect(startServer({ dataFolder })).rejects.toThrow(
    /ended with 75.*in use by another server/s,
  );
  first.signal("SIGKILL");
  await first.exited;
  await startServer({ dataFolder });
}, 20_000);

// Node's own recursive mkdir never returns there.
test.skipIf(!existsSync("/proc/self"))(
  "says that /proc takes no data folder",
  async () => {
    await expect(startServer({ dataFolder: "/proc/parley/data" })).rejects.toThrow(
      /ended with 78.*\/proc\/parley\/data cannot be made/s,
    );
  },
  10_000,
);
