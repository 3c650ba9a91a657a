import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fastify } from "fastify";
import { expect, onTestFinished, test } from "vitest";
import { openAdminSocket } from "../src/admin-socket.ts";
import { testFolder } from "./fixtures/embedded.ts";

function app(said: string) {
  const made = fastify({ forceCloseConnections: true });
  made.get("/", async () => said);
  onTestFinished(() => made.close());
  return made;
}

function ask(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/" }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    })
      .on("error", reject)
      .end();
  });
}

test("answers on a socket that only the owner of the folder can use, until it is closed", async () => {
  const folder = testFolder();
  const admin = await openAdminSocket(app("yes"), folder);
  expect(admin.path).toBe(join(folder, "admin.sock"));
  expect(statSync(admin.path).mode & 0o777).toBe(0o600);
  expect(await ask(admin.path)).toBe("yes");
  await admin.close();
  expect(existsSync(admin.path)).toBe(false);
});

test("takes the place of a socket that a dead server left", async () => {
  const folder = testFolder();
  const left = join(folder, "admin.sock");
  const dead = createServer();
  await new Promise<void>((done) => dead.listen(left, done));
  // Node takes a socket's file away when it closes it; a killed server does not.
  const { linkSync, renameSync } = await import("node:fs");
  linkSync(left, join(folder, "kept"));
  await new Promise((done) => dead.close(done));
  renameSync(join(folder, "kept"), left);
  await expect(ask(left)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await openAdminSocket(app("again"), folder);
  expect(await ask(left)).toBe("again");
});

test("goes elsewhere, and says where, from a folder whose name is too long for a socket", async () => {
  const folder = join(testFolder(), "long".repeat(30));
  mkdirSync(folder);
  const first = await openAdminSocket(app("first"), folder);
  const record = join(folder, "admin.path");
  expect(readFileSync(record, "utf8")).toBe(`${first.path}\n`);
  expect(statSync(dirname(first.path)).mode & 0o777).toBe(0o700);
  expect(await ask(first.path)).toBe("first");
  // As after a kill: the record is there, and so is the place that it names.
  const second = await openAdminSocket(app("second"), folder);
  expect(existsSync(dirname(first.path))).toBe(false);
  expect(await ask(readFileSync(record, "utf8").trim())).toBe("second");
  await second.close();
  expect([existsSync(record), existsSync(dirname(second.path))]).toEqual([false, false]);
});

test("removes nothing that a strange record names", async () => {
  const folder = testFolder();
  const precious = mkdtempSync(join(tmpdir(), "precious-"));
  writeFileSync(join(folder, "admin.path"), join(precious, "admin.sock"));
  const { close } = await openAdminSocket(app("yes"), folder);
  expect(existsSync(precious)).toBe(true);
  await close();
});
