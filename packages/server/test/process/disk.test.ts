import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode } from "@parley/protocol";
import { expect, onTestFinished } from "vitest";
import { folderCheck } from "../../src/adapters/health/folder-check.ts";
import { connect, testFolder, testServer } from "../fixtures/embedded.ts";
import { MOUNT, STRACE, testWith } from "../fixtures/needs.ts";
import { Person, prekeysOf } from "../fixtures/person.ts";
import {
  connectTo,
  LIMITS_RAISED,
  orLost,
  type ServerProcess,
  startServer,
} from "../fixtures/server-process.ts";
import { logTo } from "../fixtures/store.ts";
import { member } from "../fixtures/talk.ts";
import { Refused, textOf } from "../fixtures/wire-client.ts";

const EXIT_IO = 74;

/** Sends to somebody who is away until the server is gone; what was accepted, and how it ended. */
async function sendUntilItEnds(server: ServerProcess, { alice, bob, text }: Sending) {
  const client = await connectTo(server.origin);
  await client.hello(alice);
  const accepted: string[] = [];
  const sendAll = async () => {
    for (let i = 0; i < 2_000; i++) {
      await orLost(client, client.send(alice, bob, { text: text(i) }));
      accepted.push(text(i));
    }
  };
  await expect(sendAll()).rejects.toThrow(/connection lost/);
  return { accepted, ...(await server.exited) };
}

interface Sending {
  readonly alice: Person;
  readonly bob: Person;
  readonly text: (i: number) => string;
}

/** Two people who have signed up, on a folder whose server has ended. */
async function signedUp() {
  const dataFolder = testFolder();
  const server = await startServer({ dataFolder });
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  for (const person of [alice, bob]) {
    const client = await connectTo(server.origin);
    await client.signUp(person);
  }
  server.signal("SIGTERM");
  await server.exited;
  return { dataFolder, alice, bob };
}

async function mailOf(person: Person, dataFolder: string): Promise<string[]> {
  const server = await startServer({ dataFolder });
  const client = await connectTo(server.origin);
  client.acksByItself = true;
  await client.hello(person);
  await client.drain();
  return client.delivered.map(textOf);
}

function failing(call: string, ...which: readonly string[]): readonly string[] {
  return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, ...which];
}

for (const writer of ["main", "thread"])
  testWith(
    STRACE,
    `ends at a durable write of its ${writer} that fails, and acknowledges nothing after it`,
    async () => {
      const { dataFolder, alice, bob } = await signedUp();
      // The mail log is open so that each write waits for the disk.
      const file = join(dataFolder, "mail-0.log");
      const under = failing("pwrite64", "-P", file, "-e", "inject=pwrite64:error=EIO:when=30+");
      const args = ["--store.writer", writer];
      const broken = await startServer({ dataFolder, under, args });
      const sending = { alice, bob, text: (i: number) => `m${i}` };
      const { accepted, code } = await sendUntilItEnds(broken, sending);
      expect(code).toBe(EXIT_IO);
      expect(broken.log()).toMatch(/"disk-failed"/);
      expect(accepted.length).toBeGreaterThan(5);
      expect((await mailOf(bob, dataFolder)).slice(0, accepted.length)).toEqual(accepted);
    },
    30_000,
  );

testWith(
  STRACE,
  "ends where the fsync of the store's log fails, and whoever had signed up by then is known",
  async () => {
    const { dataFolder } = await signedUp();
    const file = join(dataFolder, "parley.db-wal");
    const under = failing("fsync", "-P", file, "-e", "inject=fsync:error=EIO:when=12+");
    const args = [...LIMITS_RAISED, "--limits.sign_ups_per_address_per_hour", "1000"];
    const broken = await startServer({ dataFolder, under, args });
    const signedUpBefore: Person[] = [];
    const signUpAll = async () => {
      for (let i = 0; i < 100; i++) {
        const person = new Person(`person${i}`);
        const client = await connectTo(broken.origin);
        await orLost(client, client.signUp(person));
        signedUpBefore.push(person);
      }
    };
    await expect(signUpAll()).rejects.toThrow(/connection lost/);
    expect((await broken.exited).code).toBe(EXIT_IO);
    expect(signedUpBefore.length).toBeGreaterThan(3);
    const server = await startServer({ dataFolder, args });
    for (const person of signedUpBefore) await (await connectTo(server.origin)).hello(person);
  },
  30_000,
);

testWith(
  STRACE,
  "ends too where the fsync that fails is that of moving the log into the file",
  async () => {
    const { dataFolder, alice, bob } = await signedUp();
    // Its log is another file, whose fsyncs succeed. What waits moves there once the mail log is full.
    const file = join(dataFolder, "parley.db");
    const under = failing("fsync", "-P", file, "-e", "inject=fsync:error=EIO");
    const broken = await startServer({ dataFolder, under, args: LIMITS_RAISED });
    const text = (i: number) => `${i} ${"x".repeat(60_000)}`;
    const { accepted, code } = await sendUntilItEnds(broken, { alice, bob, text });
    expect(code).toBe(EXIT_IO);
    expect(accepted.length).toBeGreaterThan(20);
    expect((await mailOf(bob, dataFolder)).slice(0, accepted.length)).toEqual(accepted);
  },
  30_000,
);

/** A file system of that size, gone when the test is over. */
function smallDisk(sizeMiB: number): string {
  const folder = join(testFolder(), "disk");
  mkdirSync(folder);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMiB}m`, "tmpfs", folder]);
  if (mounted.status !== 0) throw new Error(`mount: ${mounted.stderr}`);
  onTestFinished(() => {
    spawnSync("umount", ["-l", folder]);
  });
  return folder;
}

testWith(
  MOUNT,
  "refuses sends as retryable while the disk is full, reads on, and recovers when there is room",
  async () => {
    const disk = smallDisk(8);
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, new Uint8Array(4.5 * 1024 * 1024));
    const store = { writer: "main" as const, logFileBytes: 2 * 1024 * 1024 };
    const dataFolder = join(disk, "data");
    const lines: string[] = [];
    const server = testServer({
      ...{ dataFolder, config: { store }, log: logTo(lines) },
      checks: [folderCheck(dataFolder)],
    });
    const isReady = async () => {
      server.readiness.forget();
      return (await server.readiness.report()).isReady;
    };
    expect(await isReady()).toBe(true);
    const [alice, bob] = [new Person("alice"), new Person("bob")];
    const [a, b] = [await member(server, alice), await member(server, bob)];
    await b.request("uploadPrekeys", {
      case: "uploadPrekeys",
      value: prekeysOf(bob.phone, { oneTime: [1] }),
    });
    b.wire?.close();
    const accepted: string[] = [];
    const send = async (i: number) => {
      const text = `${i} ${"x".repeat(20_000)}`;
      await a.send(alice, bob, { text });
      accepted.push(text);
    };
    const refusal = await (async () => {
      for (let i = 0; i < 1_000; i++) {
        try {
          await send(i);
        } catch (cause) {
          return cause as Refused;
        }
      }
      throw new Error("the disk was never full");
    })();
    expect(refusal).toBeInstanceOf(Refused);
    expect(refusal.code).toBe(ErrorCode.STORAGE_UNAVAILABLE);
    expect(refusal.retryAfterMs).toBeGreaterThan(0);
    expect(accepted.length).toBeGreaterThan(10);
    expect(await isReady()).toBe(false);

    // Reading goes on: a login, a look-up, a bundle (its last-resort key), and all the mail.
    const back = connect(server);
    back.acksByItself = true;
    await back.hello(bob);
    await back.drain();
    expect(back.delivered.map(textOf)).toEqual(accepted);
    const { bundles } = await a.request("fetchPrekeyBundles", {
      case: "fetchPrekeyBundles",
      value: { accountId: bob.accountId },
    });
    expect(bundles[0]?.oneTimePrekey).toBeUndefined();
    expect(bundles[0]?.lastResortPrekey?.id).toBe(1);
    await expect(send(2_000)).rejects.toMatchObject({ code: ErrorCode.STORAGE_UNAVAILABLE });

    rmSync(ballast);
    await send(3_000);
    expect(await isReady()).toBe(true);
    const told = lines.map((line) => line.split(" ", 1)[0]);
    expect(told).toEqual(expect.arrayContaining(["disk-full", "not-ready", "ready"]));
    expect(told.lastIndexOf("disk-has-room")).toBeGreaterThan(told.lastIndexOf("disk-full"));
    await back.drain();
    expect(back.delivered.map(textOf)).toEqual(accepted);
    await server.stop();
  },
  30_000,
);

testWith(
  MOUNT,
  "stops when it is asked to though the disk is full, and has everything once there is room",
  async () => {
    const disk = smallDisk(8);
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, new Uint8Array(4.5 * 1024 * 1024));
    const dataFolder = join(disk, "data");
    const args = [...LIMITS_RAISED, "--store.log_file_bytes", String(2 * 1024 * 1024)];
    const server = await startServer({ dataFolder, args });
    const [alice, bob] = [new Person("alice"), new Person("bob")];
    const [a, b] = [await connectTo(server.origin), await connectTo(server.origin)];
    await a.signUp(alice);
    await b.signUp(bob);
    b.acksByItself = true;
    await a.hello(alice);
    await b.hello(bob);
    const accepted: string[] = [];
    const sendUntilFull = async () => {
      for (let i = 0; i < 1_000; i++) {
        const text = `${i} ${"x".repeat(20_000)}`;
        await a.send(alice, bob, { text });
        accepted.push(text);
        // What is acknowledged is noted with the next write, which there is no room for in the end.
        if (i === 20) b.acksByItself = false;
      }
    };
    await expect(sendUntilFull()).rejects.toMatchObject({ code: ErrorCode.STORAGE_UNAVAILABLE });
    b.ack(b.lastOrdinal);
    const value = { accountId: alice.accountId };
    await b.request("fetchAccountChain", { case: "fetchAccountChain", value });
    server.signal("SIGTERM");
    expect(await server.exited).toEqual({ code: 0, signal: null });

    rmSync(ballast);
    const got = new Set([...b.delivered.map(textOf), ...(await mailOf(bob, dataFolder))]);
    expect(accepted.filter((text) => !got.has(text))).toEqual([]);
  },
  30_000,
);
