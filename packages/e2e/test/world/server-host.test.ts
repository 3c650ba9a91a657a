import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ports } from "@parley/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { History } from "../../src/checker/history.ts";
import { GENTLE, Network } from "../../src/simulation/network.ts";
import { SeededRandom } from "../../src/simulation/seeded-random.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { ServerHost } from "../../src/world/server-host.ts";
import { Counters } from "../../src/world/sometimes.ts";

let folder: string;
let clock: VirtualClock;
let history: History;
let host: ServerHost;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-host-"));
  clock = new VirtualClock();
  history = new History(() => clock.time);
  const nothing = () => undefined;
  const watch = {
    ...{ opened: nothing, sent: nothing, received: nothing },
    ...{ ended: nothing, refused: nothing, cut: nothing },
  };
  const random = new SeededRandom("host");
  host = new ServerHost({
    ...{ folder: join(folder, "server"), clock, random, history, counters: new Counters() },
    network: new Network({ clock, random, watch }, { ...GENTLE }),
    ...{
      nameOf: (accountId) => accountId,
      isHostile: () => false,
      wakeupsLost: () => 0,
      delayMsMax: () => 0,
    },
    diskDelayMsMax: () => 0,
    failed: (cause) => {
      throw cause;
    },
  });
});
afterEach(() => {
  host.kill("the test is over");
  rmSync(folder, { recursive: true });
});

const epochs = async () => (await ports().epochs.since(new Uint8Array(16))).length;
const ports = () => host.ports as Ports;

test("a killed server comes back with what it had committed, in a new epoch", async () => {
  host.start();
  expect(await epochs()).toBe(1);
  host.kill("by the test");
  expect([host.isUp, host.ports]).toEqual([false, undefined]);
  host.start();
  expect(await epochs()).toBe(2);
  expect(history.events.map(({ f }) => f)).toEqual(["start", "fault", "start"]);
});

test("with an old copy of its folder it does not know what came after", async () => {
  host.start();
  const copy = host.copy();
  host.kill("by the test");
  host.start();
  expect(await epochs()).toBe(2);
  const forgotten = ports().epochs.current().id;
  host.restore(copy);
  host.start();
  expect(await epochs()).toBe(2);
  const known = await ports().epochs.since(new Uint8Array(16));
  expect(known.map(({ id }) => id)).not.toContainEqual(forgotten);
});

test("a stopped server is down once it has drained, and its folder is free", async () => {
  host.start();
  await host.stop();
  expect(host.isUp).toBe(false);
  host.start();
  expect(host.isUp).toBe(true);
});
