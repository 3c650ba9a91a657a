import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { JsonProcess } from "./fixtures/json-process.ts";
import { startServer } from "./fixtures/people.ts";
import { Person } from "./fixtures/person.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";

const ECHO_BOT = fileURLToPath(new URL("../../../docs/echo-bot.ts", import.meta.url));

test("the echo bot of the docs has at most 20 lines", () => {
  expect(readFileSync(ECHO_BOT, "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(20);
});

test("the echo bot of the docs answers, also what arrived while it was down", async () => {
  const server = await startServer();
  const alice = new Person("alice");
  await alice.signUp(server.url);
  const folder = join(temporaryFolder(), "bot");
  const startBot = () => {
    const bot = spawn(process.execPath, [ECHO_BOT, server.url, "echo", folder], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PARLEY_PASSPHRASE: "of a bot" },
    });
    onTestFinished(() => void bot.kill("SIGKILL"));
    return bot;
  };
  const bot = startBot();
  await once(bot.stdout, "data"); // Its account.

  const chat = new JsonProcess(alice.spawn("chat", "echo", "--json"));
  await chat.until(({ type }) => type === "ready");
  chat.write({ text: "hello" });
  const isEcho = (text: string) => (object: Record<string, unknown>) =>
    object["type"] === "message" && object["from"] === "echo" && object["text"] === text;
  await chat.until(isEcho("hello"));

  bot.kill("SIGKILL");
  await once(bot, "exit");
  chat.write({ text: "anybody there?" });
  await chat.until(({ status }) => status === "sent");
  startBot();
  await chat.until(isEcho("anybody there?"));
}, 30_000);
