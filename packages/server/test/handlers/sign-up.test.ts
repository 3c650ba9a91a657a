import { create, toBinary } from "@bufbuild/protobuf";
import { AccountEntrySchema, CloseCode, ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { connect, ORIGIN, testFolder, testServer } from "../fixtures/embedded.ts";
import { forgetAccounts } from "../fixtures/forget-accounts.ts";
import { randomBytes, signingKey } from "../fixtures/keys.ts";
import { Person, signedBy } from "../fixtures/person.ts";
import { member } from "../fixtures/talk.ts";

test("refuses handles outside the rule, and one that is taken, and then takes a better one", async () => {
  const server = testServer();
  await connect(server).signUp(new Person("taken"));
  const person = new Person("x");
  const client = connect(server);
  for (const handle of ["ab.", ".ab", "a..b", "a b", "ünder", "taken", "TAKEN", "a__b", "a-b"])
    await expect(client.signUp(person, { handle })).rejects.toMatchObject({
      code: ErrorCode.HANDLE_NOT_AVAILABLE,
    });
  for (const handle of ["ab", "a".repeat(33)])
    await expect(client.signUp(person, { handle })).rejects.toMatchObject({
      code: ErrorCode.INVALID_REQUEST,
    });
  expect((await client.signUp(person, { handle: "A.Good_one" })).handle).toBe("a.good_one");
});

test("answers a repeat with the same receipt, on the same and on a later connection", async () => {
  const server = testServer();
  const alice = new Person("alice");
  const client = connect(server);
  const first = await client.signUp(alice);
  expect(await client.signUp(alice)).toEqual(first);
  expect(await connect(server).signUp(alice)).toEqual(first);
});

test("gives an account one handle", async () => {
  const server = testServer();
  const alice = new Person("alice");
  await connect(server).signUp(alice);
  await expect(connect(server).signUp(alice, { handle: "other" })).rejects.toMatchObject({
    code: ErrorCode.HANDLE_NOT_AVAILABLE,
  });
});

test("is closed where the operator says so, but not to whoever was here before", async () => {
  const dataFolder = testFolder();
  const open = testServer({ dataFolder });
  const alice = new Person("alice");
  const { receipt } = await connect(open).signUp(alice);
  const { receipt: bobs } = await connect(open).signUp(new Person("bob"));
  await open.stop();

  forgetAccounts(dataFolder);
  const closed = testServer({ dataFolder, config: { origins: [ORIGIN], signUp: "closed" } });
  for (const shown of [{}, { receipt: bobs }, { receipt: randomBytes(32) }])
    await expect(connect(closed).signUp(alice, shown)).rejects.toMatchObject({
      code: ErrorCode.SIGN_UP_REFUSED,
    });
  const returned = await connect(closed).signUp(alice, { receipt });
  expect(returned).toMatchObject({ receipt, handle: "alice" });
});

test("lets an account return without its handle where that was given away", async () => {
  const dataFolder = testFolder();
  const before = testServer({ dataFolder });
  const alice = new Person("alice");
  const { receipt } = await connect(before).signUp(alice);
  await before.stop();
  forgetAccounts(dataFolder);

  const server = testServer({ dataFolder });
  await connect(server).signUp(new Person("alice"));
  const client = connect(server);
  await expect(client.signUp(alice)).rejects.toMatchObject({
    code: ErrorCode.HANDLE_NOT_AVAILABLE,
  });
  expect(await client.signUp(alice, { receipt })).toMatchObject({ receipt, handle: "" });
  expect(await client.signUp(alice, { receipt })).toMatchObject({ receipt, handle: "" });
  expect((await client.hello(alice)).ownHead).toMatchObject(alice.head);
});

/** A first entry of `person` that is as it should be but for what is given. */
function firstEntry(person: Person, more: object) {
  const entry = create(AccountEntrySchema, {
    accountId: person.accountId,
    era: 1,
    version: 1,
    signer: { case: "root", value: { rootKey: person.root.publicKey } },
    changes: [{ change: { case: "addDevice", value: person.phone.entry } }],
    stateHash: new Uint8Array(32),
    ...more,
  });
  return toBinary(AccountEntrySchema, entry);
}

test("refuses first entries that do not hold", async () => {
  const server = testServer();
  const other = new Person("other");
  const withoutConsent = new Person("alice");
  withoutConsent.entries = [
    withoutConsent.rootEntry({ case: "addDevice", value: other.phone.entry }, [other.phone]),
  ];
  const forged = new Person("alice");
  forged.entries = [signedBy(signingKey(), forged.entries[0]?.body as Uint8Array)];
  const wrongState = new Person("alice");
  wrongState.entries = [signedBy(wrongState.root, firstEntry(wrongState, {}))];
  const notFirst = new Person("alice");
  notFirst.entries = [
    signedBy(notFirst.root, firstEntry(notFirst, { previousHash: randomBytes(32) })),
  ];
  const garbage = new Person("alice");
  garbage.entries = [signedBy(garbage.root, randomBytes(50))];
  for (const person of [withoutConsent, forged, wrongState, notFirst, garbage])
    await expect(connect(server).signUp(person)).rejects.toMatchObject({
      code: ErrorCode.INVALID_ACCOUNT_ENTRY,
    });
  // Nothing of it stays: the handle is free.
  await member(server, new Person("alice"));
});

test("refuses a login by a key that the entry does not list, and closes", async () => {
  const client = connect(testServer());
  const alice = new Person("alice");
  const thief = { ...alice.phone, key: signingKey() };
  const { nonce } = await client.frame("challenge");
  const signingUp = client.request("signUp", {
    case: "signUp",
    value: {
      version: 1,
      login: alice.login(nonce, ORIGIN, thief),
      entries: alice.entries,
      handle: "alice",
    },
  });
  await expect(signingUp).rejects.toMatchObject({ code: ErrorCode.LOGIN_REFUSED });
  expect((await client.closed).code).toBe(CloseCode.LOGIN_REFUSED);
});
