import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Person, ranOf } from "../fixtures/person.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

test("serve runs a server until it is asked to end, and passes its status on", async () => {
  const alice = new Person("alice");
  const child = alice.spawn("serve", "--data", join(temporaryFolder(), "data"), "--port", "0");
  onTestFinished(() => void child.kill("SIGTERM"));
  const ran = ranOf(child);
  let greeting = "";
  while (!/http:\/\/\S+:\d+/.test(greeting))
    greeting += String((await once(child.stdout, "data"))[0]);
  const url = /http:\/\/\S+:\d+/.exec(greeting)?.[0] ?? "";
  expect((await alice.signUp(url))["handle"]).toBe("alice");
  child.kill("SIGTERM");
  expect((await ran).status).toBe(0);
});

test("serve ends with the server's own 64 where its port is none", async () => {
  const ran = await new Person("alice").run("serve", "--port", "a lot");
  expect(ran.status).toBe(64);
});

test("help names every command, with examples, and ends with 0", async () => {
  const alice = new Person("alice");
  const ran = await alice.run("--help");
  expect(ran.status).toBe(0);
  for (const command of [
    "serve",
    "signup",
    "chat",
    "send",
    "listen",
    "history",
    "contacts",
    "verify",
    "config",
    "doctor",
    "completion",
  ]) {
    expect(ran.stdout).toContain(`${command} `);
    const help = await alice.run(command, "--help");
    expect([command, help.status]).toEqual([command, 0]);
    expect(help.stdout).toContain("Examples:");
  }
});
