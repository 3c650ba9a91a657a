import { existsSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { openIdentity } from "../fixtures/device-secrets.ts";
import { startServer, twoPeople } from "../fixtures/people.ts";
import { Person, ranOf } from "../fixtures/person.ts";

test("signup gives account, handle and recovery code, once", async () => {
  const server = await startServer();
  const alice = new Person("alice");
  expect(await alice.signUp(server.url)).toEqual({
    accountId: expect.stringMatching(/^[0-9a-f]{32}$/),
    handle: "alice",
    recoveryCode: expect.stringMatching(/\S{10,}/),
  });
  const again = await alice.run("signup", "--server", server.url, "--handle", "alice");
  expect([again.status, again.stdout]).toEqual([64, ""]);
});

test("signup refuses a handle outside the rule, and one that is taken, with 65", async () => {
  const { server } = await twoPeople();
  const carol = new Person("carol");
  for (const handle of ["no", "ünicode", "a..b", "alice"]) {
    const ran = await carol.run("signup", "--server", server.url, "--handle", handle);
    expect([handle, ran.status, ran.stdout]).toEqual([handle, 65, ""]);
  }
  expect((await carol.signUp(server.url))["handle"]).toBe("carol");
});

test("signup ends with 69 where no server is, and works once there is one", async () => {
  const server = await startServer();
  await server.stop();
  const alice = new Person("alice");
  const ran = await alice.run("signup", "--server", server.url, "--handle", "alice");
  expect([ran.status, ran.stdout]).toEqual([69, ""]);
  await server.start();
  expect((await alice.signUp(server.url))["handle"]).toBe("alice");
}, 20_000);

test("signup ends with 64 where its server is no address, and where an option is missing", async () => {
  const alice = new Person("alice");
  for (const args of [
    ["--server", "ftp://somewhere", "--handle", "alice"],
    ["--server", "http://127.0.0.1:7420/path", "--handle", "alice"],
    ["--handle", "alice"],
    ["--server", "http://127.0.0.1:7420", "--handle", "alice", "--color"],
  ])
    expect((await alice.run("signup", ...args)).status).toBe(64);
});

test("signup makes a key file that only its owner reads", async () => {
  const { alice } = await twoPeople();
  const keyFile = alice.env["PARLEY_KEY_FILE"] ?? "";
  expect(existsSync(keyFile)).toBe(true);
  expect(statSync(keyFile).mode & 0o077).toBe(0);
});

test("signup keeps the name of the device, by default the machine's, and refuses one too long", async () => {
  const server = await startServer();
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const longest = "名".repeat(21);
  const ran = await alice.run(
    ...["signup", "--server", server.url, "--handle", "alice"],
    ...["--device-name", `${longest}xy`],
  );
  expect([ran.status, ran.stdout]).toEqual([65, ""]);
  await alice.signUp(server.url, "--device-name", `${longest}x`);
  expect((await openIdentity(alice)).deviceName).toBe(`${longest}x`);
  await bob.signUp(server.url);
  expect((await openIdentity(bob)).deviceName).toBe(hostname().split(".")[0]);
});

test("signup tells a person the recovery code and what to type next", async () => {
  const server = await startServer();
  const alice = new Person("alice");
  const home = `${alice.home} of alice`;
  const where = ["--server", server.url, "--home", home];
  const ran = await alice.run("signup", "--handle", "alice", ...where);
  expect(ran.stdout).toContain("Recovery code:");
  expect(ran.stdout).toMatch(/\nNext: (npx )?parley chat HANDLE --home '.* of alice'\n$/);
});

test.skipIf(!existsSync("/proc/self"))(
  "signup refuses a home and a key file that cannot be there, with 64",
  async () => {
    const alice = new Person("alice");
    const where = ["signup", "--server", "http://127.0.0.1:9", "--handle", "alice"];
    for (const args of [
      ["--home", "/dev/null/below"],
      ["--home", "/proc/parley/home"],
      ["--key-file", "/proc/parley/key"],
    ]) {
      const child = alice.spawn(...where, ...args);
      onTestFinished(() => void child.kill("SIGKILL")); // Node's recursive mkdir never returned there.
      const ran = await ranOf(child);
      expect([args, ran.status]).toEqual([args, 64]);
      expect(ran.stderr).toMatch(/^parley: \S+: .*\n$/);
    }
  },
);
