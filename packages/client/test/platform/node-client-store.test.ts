import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type NodeClientStore,
  openNodeStore,
  StoreDamagedError,
  StoreInUseError,
  WrongKeyError,
} from "../../src/platform/node/index.ts";
import { bytes, clientStoreContract } from "../store/client-store.contract.ts";

let folder: string;
let keyFile: string;
let opened: NodeClientStore | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-store-"));
  keyFile = join(folder, "key");
  writeFileSync(keyFile, new Uint8Array(32).fill(7));
});
afterEach(async () => {
  await opened?.close();
  opened = undefined;
  rmSync(folder, { recursive: true });
});

async function open(name = "store"): Promise<NodeClientStore> {
  opened = await openNodeStore({ folder: join(folder, name), keyFile });
  return opened;
}
const file = (name = "store") => join(folder, name, "device.sqlite");

describe("the store on Node", () => {
  describe("as every store", () => {
    clientStoreContract(
      () => open(),
      async (store) => {
        await store.close();
        return await open();
      },
    );
  });

  test("stores nothing of a commit that fails in the middle, and goes on", async () => {
    const store = await open();
    const change = { table: "chains" as const, key: "a", value: bytes(1) };
    await expect(store.commit([change, { ...change, key: undefined as never }])).rejects.toThrow();
    expect(await store.get("chains", "a")).toBeUndefined();
    await store.commit([{ ...change, key: "b" }]);
    expect(await store.range("chains", {})).toHaveLength(1);
  });

  test("is readable by its owner alone", async () => {
    const store = await open();
    await store.commit([{ table: "chains", key: "a", value: bytes(1) }]);
    const names = readdirSync(join(folder, "store"));
    expect(names).toContain("device.sqlite-wal");
    for (const name of names)
      expect(statSync(join(folder, "store", name)).mode & 0o777, name).toBe(0o600);
    expect(statSync(join(folder, "store")).mode & 0o777).toBe(0o700);
  });

  test("holds no value in the clear, neither in the file nor in its log", async () => {
    const store = await open();
    const secret = "the text that nobody may find";
    await store.commit([
      { table: "entries", key: "a", value: Buffer.from(secret) },
      { table: "entries", key: "visible-key", value: Buffer.alloc(32) },
    ]);
    const found = (text: string) =>
      readdirSync(join(folder, "store")).some((name) =>
        readFileSync(join(folder, "store", name)).includes(text),
      );
    expect(found("visible-key")).toBe(true); // The search finds what is there.
    expect(found(secret)).toBe(false);
    await store.close();
    expect(found(secret)).toBe(false);
  });

  test("seals the same value differently each time", async () => {
    const store = await open();
    const value = new Uint8Array(64);
    await store.commit([
      { table: "chains", key: "a", value },
      { table: "chains", key: "b", value },
    ]);
    await store.close();
    const [a, b] = rawRows();
    expect(a).not.toEqual(b);
  });

  test("notices a row that was put in another's place", async () => {
    const store = await open();
    await store.commit([
      { table: "chains", key: "a", value: bytes(1) },
      { table: "chains", key: "b", value: bytes(2) },
    ]);
    await store.close();
    withDatabase((db) =>
      db.exec("UPDATE rows SET value = (SELECT value FROM rows WHERE key = 'a') WHERE key = 'b'"),
    );
    const again = await open();
    expect(await again.get("chains", "a")).toEqual(bytes(1));
    await expect(again.get("chains", "b")).rejects.toThrow(StoreDamagedError);
    await expect(again.range("chains", {})).rejects.toThrow(StoreDamagedError);
  });

  test("opens with its passphrase, typed in any form of Unicode", async () => {
    const options = { folder: join(folder, "p"), passphrase: "gr\u00fcn" };
    const first = await openNodeStore(options);
    await first.commit([{ table: "chains", key: "a", value: bytes(1) }]);
    await first.close();
    opened = await openNodeStore({ ...options, passphrase: "gru\u0308n" });
    expect(await opened.get("chains", "a")).toEqual(bytes(1));
  });

  test("refuses another key and loses nothing", async () => {
    const first = await open();
    await first.commit([{ table: "chains", key: "a", value: bytes(1) }]);
    await first.close();
    const other = join(folder, "other");
    writeFileSync(other, new Uint8Array(32).fill(8));
    const at = join(folder, "store");
    await expect(openNodeStore({ folder: at, keyFile: other })).rejects.toThrow(WrongKeyError);
    await expect(openNodeStore({ folder: at, passphrase: "x" })).rejects.toThrow(WrongKeyError);
    writeFileSync(other, "short");
    await expect(openNodeStore({ folder: at, keyFile: other })).rejects.toThrow(WrongKeyError);
    expect(await (await open()).get("chains", "a")).toEqual(bytes(1));
  });

  test("refuses a wrong passphrase", async () => {
    const at = join(folder, "p");
    await (await openNodeStore({ folder: at, passphrase: "right" })).close();
    await expect(openNodeStore({ folder: at, passphrase: "wrong" })).rejects.toThrow(WrongKeyError);
  });

  test("refuses a file that is no store, and one of a newer version", async () => {
    await (await open()).close();
    withDatabase((db) => db.exec("PRAGMA user_version = 99"));
    await expect(open()).rejects.toThrow(StoreDamagedError);
    writeFileSync(file(), "something else altogether, and long enough to be looked at".repeat(99));
    await expect(open()).rejects.toThrow(StoreDamagedError);
  });

  test("is refused to a second owner, in this process and in another, until it is closed", async () => {
    await open();
    const at = join(folder, "store");
    await expect(openNodeStore({ folder: at, keyFile })).rejects.toThrow(StoreInUseError);
    expect(await secondProcess(at)).toBe("StoreInUseError");
    await opened?.close();
    expect(await secondProcess(at)).toBe("opened");
  });

  test("has all that was committed after its process is killed, and is free again", async () => {
    for (let round = 0; round < 3; round++) {
      const at = join(folder, "killed");
      const writer = spawn(process.execPath, [WRITER, at, keyFile], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      writer.stdout.setEncoding("utf8");
      for await (const part of writer.stdout) {
        said += part as string;
        if (said.split("\n").length > 40) writer.kill("SIGKILL");
      }
      if (writer.exitCode === null && writer.signalCode === null) await once(writer, "exit");
      const committed = Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
      expect(committed).toBeGreaterThan(30);
      const store = await open("killed");
      const rows = await store.range("entries", {});
      // Pairs are committed together: both halves or none, and none that was said is missing.
      expect(rows.length % 2).toBe(0);
      expect(rows.length / 2).toBeGreaterThanOrEqual(committed);
      await store.close();
    }
  });
});

const WRITER = join(import.meta.dirname, "../fixtures/store-writer.ts");

async function secondProcess(at: string): Promise<string> {
  const child = spawn(process.execPath, [WRITER, at, keyFile, "once"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8");
  for await (const part of child.stdout) said += part as string;
  return said.trim();
}

function withDatabase(use: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(file());
  use(db);
  db.close();
}

function rawRows(): Uint8Array[] {
  const rows: Uint8Array[] = [];
  withDatabase((db) => {
    for (const row of db.prepare("SELECT value FROM rows").all())
      rows.push(row["value"] as Uint8Array);
  });
  return rows;
}
