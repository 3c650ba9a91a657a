import { create } from "@bufbuild/protobuf";
import {
  EnvelopeSchema,
  ErrorCode,
  encodeDelivery,
  encodeRow,
  type HelloRequest,
  type PrekeysHeld,
  type SignUpRequest,
  type UploadPrekeysRequest,
} from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { type Device, openDevice } from "../src/device.ts";
import { MemoryClientStore } from "../src/platform/memory/index.ts";
import { nodeCrypto } from "../src/platform/node/index.ts";
import { ManualClock, settle } from "./fixtures/manual-clock.ts";
import { Shelf } from "./fixtures/paper-server.ts";
import { ScriptedServer } from "./fixtures/scripted-server.ts";
import { seededRandom } from "./fixtures/seeded-random.ts";

const EPOCH = new Uint8Array(16).fill(4);
let server: ScriptedServer;
let shelf: Shelf;
let clock: ManualClock;
let store: MemoryClientStore;
let device: Device;
let log: string[];
beforeEach(async () => {
  server = new ScriptedServer();
  shelf = new Shelf();
  clock = new ManualClock();
  store = new MemoryClientStore();
  await open();
  const signingUp = device.identity.signUp({ handle: "alice" });
  await until(() => server.sockets.length > 0);
  await server.newest.challenge();
  await until(() => server.newest.asked("signUp").length > 0);
  await server.newest.answer("signUp", {
    case: "signUp",
    value: { receipt: new Uint8Array(32).fill(5), handle: "alice" },
  });
  await signingUp;
  log.length = 0;
});

async function open(serverUrl = "http://127.0.0.1:7420"): Promise<void> {
  log = [];
  store = store.reopen();
  device = await openDevice(
    {
      ...{ serverUrl, store, openSocket: server.openSocket },
      ...{ crypto: nodeCrypto, clock, random: seededRandom(log.length) },
    },
    {
      welcome: async (_welcome, rolledBack) => void log.push(`welcome ${rolledBack}`),
      delivered: async (batch) => {
        await device.transactor.transact(async (tx) => {
          await device.stateNumber.raise(tx);
          tx.afterCommit(() => batch.ack());
        });
      },
      drained: async () => void log.push("drained"),
      live: () => {},
      accountChainMoved: () => log.push("chain moved"),
      mailboxHasRoom: () => {},
      presenceChanged: () => {},
      devicesLeft: () => {},
      alarm: (kind, about) => {
        expect(about).toBe(device.identity.account?.accountId);
        log.push(`alarm ${kind}`);
      },
      fatal: (cause) => log.push(`fatal ${cause}`),
    },
  );
}

async function until(happened: () => boolean): Promise<void> {
  for (let i = 0; i < 50 && !happened(); i++) await settle();
  expect(happened()).toBe(true);
}

interface Said {
  readonly highest?: bigint;
  readonly head?: HelloRequest["ownHead"];
  readonly held?: PrekeysHeld;
}

async function welcomed({ highest = 0n, head, held = shelf.held() }: Said = {}) {
  device.connection.start();
  await server.newest.challenge();
  await until(() => server.newest.asked("hello").length > 0);
  const hello = server.newest.asked("hello")[0]?.request.value as HelloRequest;
  await server.newest.answer("hello", {
    case: "welcome",
    value: {
      ...{ version: 1, limits: {}, epochs: [{ id: EPOCH }], prekeys: held },
      ...{ highestStateNumber: highest, ownHead: (head ?? hello.ownHead) as never },
    },
  });
  await settle();
  return hello;
}

async function takeUpload(): Promise<UploadPrekeysRequest> {
  await until(() => server.newest.asked("uploadPrekeys").length > 0);
  const request = server.newest.asked("uploadPrekeys").at(-1)?.request.value;
  const upload = request as UploadPrekeysRequest;
  await server.newest.answer("uploadPrekeys", {
    case: "uploadPrekeys",
    value: { held: shelf.upload(upload) },
  });
  return upload;
}

describe("hello", () => {
  test("says what this device is and believes", async () => {
    const hello = await welcomed();
    expect(hello).toMatchObject({ stateNumber: 0n, prekeys: { oneTimeCount: 0 } });
    expect(hello.lastEpoch).toEqual(new Uint8Array(0));
    expect(hello.ownHead).toMatchObject({ era: 1, version: 1 });
    await takeUpload();
    await device.transactor.transact(async (tx) => device.rememberEpoch(tx, EPOCH));
    await device.close();
    await open();
    const next = await welcomed();
    expect(next.lastEpoch).toEqual(EPOCH);
    expect(next.prekeys).toEqual(shelf.held());
  });
});

describe("a welcome that differs", () => {
  test("in prekeys is mended, and drained is handed up once others can write", async () => {
    await welcomed();
    await server.newest.say({ case: "drained", value: {} });
    expect(log).toEqual(["welcome false"]);
    await takeUpload();
    await until(() => log.includes("drained"));
    expect(shelf.held().oneTimeCount).toBe(100);
  });

  test("not at all uploads nothing", async () => {
    await welcomed();
    await takeUpload();
    await device.close();
    await open();
    await welcomed();
    await server.newest.say({ case: "drained", value: {} });
    await until(() => log.includes("drained"));
    expect(server.newest.asked("uploadPrekeys")).toEqual([]);
  });

  test("in a higher state number is a rollback: told, sessions and prekeys begun anew", async () => {
    await welcomed();
    await takeUpload();
    const { highestOneTimeId } = shelf.held();
    await device.close();
    await open();
    await welcomed({ highest: 17n });
    expect(log).toEqual(["alarm rolled-back", "welcome true"]);
    expect(device.stateNumber.committed).toBe(18n);
    const upload = await takeUpload();
    expect(upload.dropOneTimeBelow).toBeGreaterThan(highestOneTimeId);
  });

  test("in a higher state number again within the hour is an alarm, and no reset", async () => {
    await welcomed({ highest: 17n });
    await device.close();
    await open();
    await welcomed({ highest: 40n });
    expect(log).toEqual(["alarm in-use-twice", "welcome false"]);
  });

  test("in the own chain is an alarm where it contradicts what is held", async () => {
    await welcomed({ head: { era: 1, version: 1, hash: new Uint8Array(16) } as never });
    await until(() => log.includes("alarm false-list"));
  });

  test("in a newer own chain is fetched", async () => {
    await welcomed({ head: { era: 1, version: 2, hash: new Uint8Array(16) } as never });
    await until(() => server.newest.asked("fetchAccountChain").length > 0);
    await server.newest.answer("fetchAccountChain", {
      case: "fetchAccountChain",
      value: { entries: [{ body: new Uint8Array(5), signature: new Uint8Array(64) }] },
    });
    await until(() => log.includes("alarm false-list"));
  });
});

describe("a server that does not know the account", () => {
  async function unknownTo(serverUrl: string): Promise<void> {
    await device.close();
    await open(serverUrl);
    device.connection.start();
    await server.newest.challenge();
    await until(() => server.newest.asked("hello").length > 0);
    const code = ErrorCode.NOT_FOUND;
    await server.newest.answer("hello", { case: "error", value: { code } });
  }

  test("is offered it again with its receipt and chain, on whatever port it is now", async () => {
    await unknownTo("http://127.0.0.1:9999");
    await until(() => server.newest.asked("signUp").length > 0);
    const request = server.newest.asked("signUp")[0]?.request.value as SignUpRequest;
    expect(request).toMatchObject({ handle: "alice", receipt: new Uint8Array(32).fill(5) });
    expect(request.entries).toHaveLength(1);
    await server.newest.answer("signUp", {
      case: "signUp",
      value: { receipt: new Uint8Array(32).fill(5), handle: "" },
    });
    await until(() => server.newest.asked("hello").length === 2);
    // The handle was given away meanwhile.
    expect(log).toEqual(["alarm handle-moved"]);
    expect(device.identity.account?.handle).toBe("alice");
  });

  test("learns nothing of it where it is another server", async () => {
    await unknownTo("https://elsewhere.example");
    await until(() => device.connection.state.kind === "ended");
    expect(device.connection.state).toEqual({ kind: "ended", reason: "login-refused" });
    expect(server.newest.asked("signUp")).toEqual([]);
  });
});

test("prekeys that were replaced 30 days ago are deleted once everything is drained", async () => {
  const signed = () =>
    [...(store.copy().get("prekeys")?.keys() ?? [])].filter((key) => key.startsWith("signed/"));
  const DAY = 24 * 60 * 60 * 1000;
  for (const days of [0, 8, 31]) {
    await device.close();
    await clock.pass(days * DAY);
    await open();
    await welcomed();
    await takeUpload();
    if (days === 31) expect(signed()).toHaveLength(3);
  }
  await server.newest.say({ case: "drained", value: {} });
  await until(() => log.includes("drained"));
  await until(() => signed().length === 2);
});

test("an ack tells the state number of the transaction that allowed it", async () => {
  await welcomed();
  await takeUpload();
  const envelope = create(EnvelopeSchema, {
    ...{ id: new Uint8Array(16), destinationDevice: 1, deliveryClass: 1 },
    ciphertext: new Uint8Array(1),
  });
  const from = { sourceAccount: new Uint8Array(16), sourceDevice: 1, acceptedAtMs: 1n };
  await server.newest.sayBytes(encodeDelivery(1n, [encodeRow(envelope, from)]));
  await until(() => server.newest.asked("ack").length > 0);
  expect(server.newest.asked("ack")[0]?.request.value).toMatchObject({
    upToOrdinal: 1n,
    stateNumber: 1n,
  });
});

test("a store that fails ends everything, once, and leaves no timer", async () => {
  await welcomed();
  store.failNext("after");
  await expect(
    device.transactor.transact(async (tx) => device.rememberEpoch(tx, EPOCH)),
  ).rejects.toThrow("could not commit");
  await settle();
  expect(log.filter((line) => line.startsWith("fatal"))).toHaveLength(1);
  expect(device.connection.state).toEqual({ kind: "offline", retryAtMs: undefined });
  expect(clock.waiting).toBe(0);
});

test("closing leaves no timer and lets the store go", async () => {
  await welcomed();
  await takeUpload();
  await device.close();
  expect(clock.waiting).toBe(0);
  await expect(store.get("chains", "a")).rejects.toThrow("closed");
});
