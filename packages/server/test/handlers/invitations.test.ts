import { ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { connect, ORIGIN, testFolder, testServer } from "../fixtures/embedded.ts";
import { forgetAccounts } from "../fixtures/forget-accounts.ts";
import { Person } from "../fixtures/person.ts";

const byInvitation = { origins: [ORIGIN], signUp: "invitation" } as const;
const REFUSED = { code: ErrorCode.INVITATION_REFUSED };

test("lets in who has a code, once, however it is typed", async () => {
  const server = testServer({ config: byInvitation });
  const { code } = await server.invitations.create(1, undefined);
  const client = connect(server);
  await expect(client.signUp(new Person("alice"))).rejects.toMatchObject(REFUSED);
  for (const invitation of ["nonsense", "0000-0000-0000-0000"])
    await expect(client.signUp(new Person("alice"), { invitation })).rejects.toMatchObject(REFUSED);
  const invitation = code.toLowerCase().replaceAll("-", " ");
  const alice = new Person("alice");
  await client.signUp(alice, { invitation });
  await client.hello(alice);
  await expect(
    connect(server).signUp(new Person("bob"), { invitation: code }),
  ).rejects.toMatchObject(REFUSED);
});

test("answers a repeat again, and spends no other use on it", async () => {
  const server = testServer({ config: byInvitation });
  const { code } = await server.invitations.create(2, undefined);
  const alice = new Person("alice");
  const first = await connect(server).signUp(alice, { invitation: code });
  expect(await connect(server).signUp(alice, { invitation: code })).toEqual(first);
  expect(await server.invitations.all()).toMatchObject([{ usesLeft: 1 }]);
});

test("spends nothing on a sign-up whose handle is taken", async () => {
  const server = testServer({ config: byInvitation });
  const { code } = await server.invitations.create(2, undefined);
  await connect(server).signUp(new Person("alice"), { invitation: code });
  await expect(
    connect(server).signUp(new Person("alice"), { invitation: code }),
  ).rejects.toMatchObject({ code: ErrorCode.HANDLE_NOT_AVAILABLE });
  await connect(server).signUp(new Person("bob"), { invitation: code });
});

test("asks for no invitation from who returns with a receipt", async () => {
  const dataFolder = testFolder();
  const open = testServer({ dataFolder });
  const alice = new Person("alice");
  const { receipt } = await connect(open).signUp(alice);
  await open.stop();
  forgetAccounts(dataFolder);
  const server = testServer({ dataFolder, config: byInvitation });
  await expect(connect(server).signUp(alice)).rejects.toMatchObject(REFUSED);
  expect((await connect(server).signUp(alice, { receipt })).handle).toBe("alice");
});

test("has a first invitation only while there is nobody and no other", async () => {
  const dataFolder = testFolder();
  const server = testServer({ dataFolder, config: byInvitation });
  const first = await server.invitations.first();
  if (first === undefined) throw new Error("no first invitation");
  expect(await server.invitations.first()).toBeUndefined();
  await connect(server).signUp(new Person("alice"), { invitation: first.code });
  expect(await server.invitations.all()).toEqual([]);
  await server.stop();
  expect(await testServer({ dataFolder }).invitations.first()).toBeUndefined();
});

test("keeps no code: what lies in the folder lets nobody in", async () => {
  const dataFolder = testFolder();
  const server = testServer({ dataFolder, config: byInvitation });
  const { code } = await server.invitations.create(1, undefined);
  await server.stop();
  const { readdirSync, readFileSync } = await import("node:fs");
  for (const file of readdirSync(dataFolder)) {
    const bytes = readFileSync(`${dataFolder}/${file}`);
    expect(bytes.includes(code) || bytes.includes(code.replaceAll("-", ""))).toBe(false);
  }
});
