import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startServer } from "../fixtures/people.ts";
import { Person } from "../fixtures/person.ts";
import { ServerProcess } from "../fixtures/server-process.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const CODE = /\b[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\b/;

const invitations = (server: { dataFolder: string }, ...args: string[]) =>
  new Person("operator").run("invitations", ...args, "--data", server.dataFolder);

test("the first start prints a code and the command to type, and the code lets one person in", async () => {
  const server = await startServer("--sign-up", "invitation");
  const [code] = CODE.exec(server.log) ?? [];
  if (code === undefined) throw new Error(server.log);
  expect(server.log).toContain(`--server ${server.url} --handle NAME --invitation ${code}`);
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const without = await alice.run("signup", "--server", server.url, "--handle", "alice");
  expect([without.status, without.stdout]).toEqual([77, ""]);
  expect(without.stderr).toContain("--invitation CODE");
  // Taken up again with the same keys, once there is a code.
  expect((await alice.signUp(server.url, "--invitation", code))["handle"]).toBe("alice");
  const where = ["--server", server.url, "--handle", "bob"];
  const used = await bob.run("signup", ...where, "--invitation", code);
  expect([used.status, used.stderr]).toEqual([77, expect.stringMatching(/used up/)]);
  await server.stop();
  const before = server.log.length;
  await server.start();
  expect(server.log.slice(before)).toContain("parley invitations create");
  expect(CODE.test(server.log.slice(before))).toBe(false);
}, 30_000);

test("create, list and revoke, while the server runs", async () => {
  const server = await startServer("--sign-up", "invitation");
  const [made] = (await invitations(server, "create", "--uses", "2", "--json")).objects;
  expect(made).toEqual({
    id: 2,
    code: expect.stringMatching(CODE),
    uses: 2,
    expiresAtMs: expect.any(Number),
    address: server.url,
  });
  await new Person("alice").signUp(server.url, "--invitation", made?.["code"]);
  const listed = (await invitations(server, "list", "--json")).objects;
  expect(listed).toMatchObject([{ id: 1 }, { id: 2, uses: 2, usesLeft: 1 }]);
  expect(JSON.stringify(listed)).not.toMatch(CODE);
  expect((await invitations(server, "revoke", "2")).status).toBe(0);
  const revoked = await invitations(server, "revoke", "2");
  expect([revoked.status, revoked.stderr]).toEqual([65, expect.stringMatching(/no such/)]);
  const text = (await invitations(server, "create", "--expires", "never")).stdout;
  expect(text).toMatch(/for one person, for ever/);
  expect(text).toContain(`--server ${server.url} --handle NAME --invitation`);
  for (const wrong of [
    ["create", "--uses", "0"],
    ["create", "--expires", "soon"],
    ["revoke", "x"],
  ])
    expect((await invitations(server, ...wrong)).status).toBe(64);
}, 30_000);

test("without a running server they end with 69, and without the folder with 64", async () => {
  const server = await startServer("--sign-up", "invitation");
  const socket = join(server.dataFolder, "admin.sock");
  expect(existsSync(socket)).toBe(true);
  await server.stop();
  expect(existsSync(socket)).toBe(false);
  const stopped = await invitations(server, "create");
  expect([stopped.status, stopped.stderr]).toEqual([69, expect.stringMatching(/no server runs/)]);
  await server.start();
  await server.kill();
  expect(existsSync(socket)).toBe(true);
  expect((await invitations(server, "list")).status).toBe(69);
  // A dead server's socket is no obstacle to the next.
  await server.start();
  expect((await invitations(server, "list", "--json")).objects).toHaveLength(1);
  const nowhere = await new Person("operator").run("invitations", "list", "--data", "/nowhere");
  expect([nowhere.status, nowhere.stderr]).toEqual([64, expect.stringMatching(/--data/)]);
}, 30_000);

test("a folder whose name is too long for a socket works as well", async () => {
  const dataFolder = join(temporaryFolder(), "deep".repeat(25), "data");
  mkdirSync(join(dataFolder, ".."));
  const server = await ServerProcess.start(dataFolder, ["--sign-up", "invitation"]);
  expect((await invitations(server, "list", "--json")).objects).toHaveLength(1);
}, 30_000);

test("on a server that is open they say that nobody needs one", async () => {
  const server = await startServer();
  const made = await invitations(server, "create");
  expect([made.status, made.stderr]).toEqual([0, expect.stringMatching(/Sign-up is open/)]);
});
