import {
  accountIdOf,
  deriveRecoveredKeys,
  openDeviceName,
  parseRecoveryCode,
  runSync,
  verifyAccountChain,
} from "@parley/crypto";
import { nobleProvider } from "@parley/crypto/platform/noble";
import { type ClientFrame, ErrorCode, fromHex, type SignUpRequest } from "@parley/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { ConnectionLostError } from "../../src/connection/connection-lost-error.ts";
import { type Device, openDevice } from "../../src/device.ts";
import type { DeviceEvents } from "../../src/device-events.ts";
import { AlreadySignedUpError } from "../../src/identity/identity.ts";
import { MemoryClientStore } from "../../src/platform/memory/index.ts";
import { nodeCrypto } from "../../src/platform/node/index.ts";
import { ManualClock, settle } from "../fixtures/manual-clock.ts";
import { ScriptedServer } from "../fixtures/scripted-server.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

const RECEIPT = new Uint8Array(32).fill(5);
let server: ScriptedServer;
let store: MemoryClientStore;
let device: Device;
let seed: number;
beforeEach(async () => {
  server = new ScriptedServer();
  store = new MemoryClientStore();
  seed = 1;
  await open();
});

const silent: DeviceEvents = {
  ...{ welcome: async () => {}, delivered: async () => {}, drained: async () => {} },
  ...{ live: () => {}, accountChainMoved: () => {}, mailboxHasRoom: () => {} },
  presenceChanged: () => {},
  devicesLeft: () => {},
  ...{ alarm: () => {}, fatal: (cause) => expect.fail(String(cause)) },
};

/** Kills what was open, and begins again with the same store and other lots. */
async function open(): Promise<void> {
  store = store.reopen();
  device = await openDevice(
    {
      ...{ serverUrl: "http://127.0.0.1:7420", store, openSocket: server.openSocket },
      ...{ crypto: nodeCrypto, clock: new ManualClock(), random: seededRandom(seed++) },
    },
    silent,
  );
}

const options = { handle: "alice", invitation: "please", deviceName: "Alice's phone" };
const signUp = () => device.identity.signUp(options);
const requestOf = (frame: ClientFrame | undefined) => frame?.request.value as SignUpRequest;

/** The server has the request; what it answers is the test's to say. */
async function asked(): Promise<SignUpRequest> {
  for (let i = 0; i < 20 && server.sockets.length === 0; i++) await settle();
  await server.newest.challenge();
  for (let i = 0; i < 20 && server.newest.asked("signUp").length === 0; i++) await settle();
  return requestOf(server.newest.asked("signUp")[0]);
}

async function accept(): Promise<void> {
  await server.newest.answer("signUp", {
    case: "signUp",
    value: { receipt: RECEIPT, handle: "alice" },
  });
}

describe("sign-up", () => {
  test("sends a chain of one entry that verifies, and a login for this origin", async () => {
    const signingUp = signUp();
    const request = await asked();
    await accept();
    const { account, recoveryCode } = await signingUp;
    expect(account).toMatchObject({ handle: "alice", deviceId: 1 });
    expect(device.identity.account).toEqual(account);
    expect(request).toMatchObject({ handle: "alice", invitation: "please" });
    expect(request.login).toMatchObject({ origin: "http://127.0.0.1:7420", deviceId: 1 });
    const accountId = fromHex(account.accountId);
    const verdict = runSync(
      nobleProvider,
      verifyAccountChain({ accountId, entries: request.entries }),
    );
    expect(verdict.kind).toBe("valid");

    const code = parseRecoveryCode(recoveryCode);
    if (code.kind !== "secret") throw new Error("not a recovery code");
    expect(accountIdOf(account.rootKey)).toEqual(accountId);
    const { backupKey } = deriveRecoveredKeys(code.secret);
    const sealed = verdict.kind === "valid" ? verdict.state.devices[0]?.sealedName : undefined;
    const key = { backupKey, accountId, deviceId: 1 };
    expect(openDeviceName(key, sealed as Uint8Array)).toBe("Alice's phone");
  });

  test("has stored everything before anything is sent", async () => {
    void signUp().catch(() => {});
    await settle();
    expect(server.sockets[0]?.received ?? []).toEqual([]);
    expect(store.copy().get("vault-device")?.size).toBe(1);
    expect(store.copy().get("vault-chains")?.size).toBe(1);
    await asked();
  });

  test("goes on with the same keys after a kill, whether or not the server had taken it", async () => {
    void signUp().catch(() => {});
    const first = await asked();
    await open();
    expect(device.identity.account).toBeUndefined();
    const code = await device.identity.pendingRecoveryCode();
    server.sockets.length = 0;
    const again = device.identity.signUp({ handle: "alice2" });
    const second = await asked();
    expect(second.entries).toEqual(first.entries);
    expect(second.login?.accountId).toEqual(first.login?.accountId);
    expect(second.handle).toBe("alice2");
    await accept();
    expect((await again).recoveryCode).toBe(code);
  });

  test("can be asked for once only", async () => {
    const signingUp = signUp();
    await expect(signUp()).rejects.toThrow(AlreadySignedUpError);
    await asked();
    await accept();
    await signingUp;
    await expect(signUp()).rejects.toThrow(AlreadySignedUpError);
    await open();
    await expect(signUp()).rejects.toThrow(AlreadySignedUpError);
    expect(device.identity.account?.handle).toBe("alice");
  });

  test("that is refused says why, and another handle may be tried", async () => {
    const refused = signUp().catch((cause: unknown) => cause);
    await asked();
    await server.newest.answer("signUp", {
      case: "error",
      value: { code: ErrorCode.HANDLE_NOT_AVAILABLE },
    });
    expect(await refused).toMatchObject({ code: ErrorCode.HANDLE_NOT_AVAILABLE });
    expect(device.identity.account).toBeUndefined();
    server.sockets.length = 0;
    const again = device.identity.signUp({ handle: "alice2" });
    await asked();
    await accept();
    expect((await again).account.deviceId).toBe(1);
  });

  test("without a server says so", async () => {
    const lost = signUp().catch((cause: unknown) => cause);
    for (let i = 0; i < 20 && server.sockets.length === 0; i++) await settle();
    await server.newest.end(1006);
    expect(await lost).toBeInstanceOf(ConnectionLostError);
  });

  test("with a server of other versions is refused as such", async () => {
    const refused = signUp().catch((cause: unknown) => cause);
    for (let i = 0; i < 20 && server.sockets.length === 0; i++) await settle();
    await server.newest.challenge(99);
    expect(await refused).toMatchObject({ code: ErrorCode.VERSION_NOT_SUPPORTED });
  });
});

describe("the recovery code", () => {
  test("is kept until it is confirmed, over restarts, and then is gone", async () => {
    const signingUp = signUp();
    await asked();
    await accept();
    const { recoveryCode } = await signingUp;
    await open();
    expect(await device.identity.pendingRecoveryCode()).toBe(recoveryCode);
    await device.identity.confirmRecoveryCode();
    expect(await device.identity.pendingRecoveryCode()).toBeUndefined();
    await open();
    expect(await device.identity.pendingRecoveryCode()).toBeUndefined();
    const rows = [...store.copy()].flatMap(([, table]) => [...table.values()]);
    expect(rows.some((row) => Buffer.from(row).includes(recoveryCode))).toBe(false);
  });

  test("and nothing else yields the root: its seed stands nowhere", async () => {
    const signingUp = signUp();
    await asked();
    await accept();
    const code = parseRecoveryCode((await signingUp).recoveryCode);
    if (code.kind !== "secret") throw new Error("not a recovery code");
    const { rootSeed } = deriveRecoveredKeys(code.secret);
    const rows = [...store.copy()].flatMap(([, table]) => [...table.values()]);
    expect(rows.some((row) => Buffer.from(row).includes(Buffer.from(rootSeed)))).toBe(false);
  });
});
