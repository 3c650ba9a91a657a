import type { Socket } from "@parley/client";
import type { Transport } from "@parley/server";
import { beforeEach, expect, test } from "vitest";
import { Life } from "../../src/simulation/life.ts";
import { Network, type NetworkFaults, type Watch } from "../../src/simulation/network.ts";
import { SeededRandom } from "../../src/simulation/seeded-random.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";

const UNWATCHED: Watch = {
  opened: () => undefined,
  sent: () => undefined,
  received: () => undefined,
  ended: () => undefined,
  refused: () => undefined,
  cut: () => undefined,
};

let clock: VirtualClock;
let network: Network;
let serverLife: Life;
let transports: Transport[];
let atServer: string[];
let atClient: string[];

function make(faults: Partial<NetworkFaults> = {}, seed = "network"): void {
  clock = new VirtualClock();
  serverLife = new Life();
  transports = [];
  atServer = [];
  atClient = [];
  network = new Network(
    { clock, random: new SeededRandom(seed), watch: UNWATCHED },
    { delayMsMax: 1000, cutPerFrame: 0, refusedConnects: 0, halfOpen: 0, ...faults },
  );
  network.listen((transport) => {
    transports.push(transport);
    transport.send(bytesOf("hello"));
    return {
      receive: (frame) => atServer.push(textOf(frame)),
      closed: () => atServer.push(`closed at ${Math.ceil(clock.time / 1000)} s`),
    };
  }, serverLife);
}

function connect(life = new Life()): Socket {
  return network.socketsOf("alice", life)("", {
    opened: () => atClient.push("opened"),
    received: (frame) => atClient.push(textOf(frame)),
    closed: (code) => atClient.push(`closed ${code}`),
  });
}

const pass = (ms: number) => clock.runUntil(() => false, clock.time + ms);
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

beforeEach(() => make());

test("frames come whole and in order, behind the news that the connection is open", async () => {
  const socket = connect();
  await pass(5000);
  for (let i = 0; i < 50; i++) {
    socket.send(bytesOf(`up ${i}`));
    transports[0]?.send(bytesOf(`down ${i}`));
  }
  await pass(60_000);
  expect(atServer).toEqual(Array.from({ length: 50 }, (_, i) => `up ${i}`));
  expect(atClient.slice(0, 3)).toEqual(["opened", "hello", "down 0"]);
  expect(atClient.slice(2)).toEqual(Array.from({ length: 50 }, (_, i) => `down ${i}`));
});

test("a sender may use its buffer again at once", async () => {
  const socket = connect();
  await pass(5000);
  const frame = bytesOf("first");
  socket.send(frame);
  frame.fill(0);
  await pass(5000);
  expect(atServer).toEqual(["first"]);
});

test("a cut takes all that is under way, and both sides learn of the end", async () => {
  const socket = connect();
  await pass(5000);
  socket.send(bytesOf("lost"));
  transports[0]?.send(bytesOf("lost too"));
  network.cutAll();
  socket.send(bytesOf("into the void"));
  await pass(5000);
  expect(atServer).toEqual([expect.stringContaining("closed")]);
  expect(atClient).toEqual(["opened", "hello", "closed 1006"]);
  expect(network.openLinks).toBe(0);
});

test("of a half-open connection one side learns late, and its frames pile up", async () => {
  let late = 0;
  for (let seed = 0; seed < 20; seed++) {
    make({ halfOpen: 1, delayMsMax: 10 }, `half-open ${seed}`);
    connect();
    await pass(1000);
    network.cutAll();
    transports[0]?.send(bytesOf("waits"));
    expect(transports[0]?.bufferedBytes()).toBe(5);
    await pass(2000);
    if (atServer.length === 0) late++;
    await pass(60_000);
    expect(atServer).toHaveLength(1);
    expect(atClient.at(-1)).toBe("closed 1006");
  }
  expect(late).toBeGreaterThan(0);
  expect(late).toBeLessThan(20);
});

test("a probe finds out that the other side is gone", async () => {
  make({ halfOpen: 1, delayMsMax: 10 }, "half-open 3");
  connect();
  await pass(1000);
  network.cutAll();
  transports[0]?.probe?.();
  await pass(1000);
  expect(atServer).toEqual([expect.stringContaining("closed")]);
});

test("a close from one side arrives behind what was sent before it", async () => {
  connect();
  await pass(5000);
  transports[0]?.send(bytesOf("last words"));
  transports[0]?.close(4200, "replaced");
  transports[0]?.send(bytesOf("too late"));
  await pass(5000);
  expect(atClient).toEqual(["opened", "hello", "last words", "closed 4200"]);
  expect(network.openLinks).toBe(0);
});

test("with every frame the last one of its connection, none comes through", async () => {
  make({ cutPerFrame: 1 });
  connect();
  await pass(10_000);
  expect(atClient).toEqual(["closed 1006"]);
});

test("nobody answers where no server listens, the owner is unreachable, or chance refuses", async () => {
  serverLife.end();
  connect();
  await pass(5000);
  make();
  network.setReachable("alice", false);
  connect();
  await pass(5000);
  expect(atClient).toEqual(["closed 1006"]);
  make({ refusedConnects: 1 });
  connect();
  await pass(5000);
  expect(atClient).toEqual(["closed 1006"]);
});

test("a killed server's connections are cut, and it neither hears nor says anything more", async () => {
  const socket = connect();
  await pass(5000);
  serverLife.end();
  socket.send(bytesOf("anybody?"));
  transports[0]?.send(bytesOf("no"));
  await pass(5000);
  expect(atServer).toEqual([]);
  expect(atClient.at(-1)).toBe("closed 1006");
});

test("a killed client hears nothing more, and the server learns of its end", async () => {
  const life = new Life();
  const socket = connect(life);
  await pass(5000);
  transports[0]?.send(bytesOf("news"));
  life.end();
  socket.send(bytesOf("from beyond"));
  await pass(5000);
  expect(atClient).toEqual(["opened", "hello"]);
  expect(atServer).toEqual([expect.stringContaining("closed")]);
});

test("healed, it is gentle, and what was half-open ends", async () => {
  make({ halfOpen: 1, cutPerFrame: 0.5, refusedConnects: 1, delayMsMax: 10_000 });
  network.setReachable("alice", false);
  network.heal();
  const socket = connect();
  await pass(100);
  for (let i = 0; i < 20; i++) socket.send(bytesOf(String(i)));
  await pass(1000);
  expect(atServer).toHaveLength(20);
});

test("what comes to a program that takes nothing waits in the server's buffer, and comes in order", async () => {
  const socket = connect();
  await pass(5000);
  network.setReading("alice", false);
  for (let i = 0; i < 3; i++) transports[0]?.send(bytesOf(`down ${i}`));
  socket.send(bytesOf("up"));
  await pass(60_000);
  expect([atServer, atClient]).toEqual([["up"], ["opened", "hello"]]);
  expect(transports[0]?.bufferedBytes()).toBe(3 * "down 0".length);
  network.setReading("alice", true);
  transports[0]?.send(bytesOf("down 3"));
  await pass(5000);
  expect(atClient.slice(2)).toEqual(["down 0", "down 1", "down 2", "down 3"]);
  expect(transports[0]?.bufferedBytes()).toBe(0);
});

test("healing lets a stuck program read, also on a connection that it made meanwhile", async () => {
  network.setReading("alice", false);
  connect();
  await pass(60_000);
  expect(atClient).toEqual([]);
  network.heal();
  await pass(5000);
  expect(atClient).toEqual(["opened", "hello"]);
});
