import { spawn } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Finding } from "../../src/doctor/finding.ts";
import { testFolder } from "../fixtures/embedded.ts";
import { Person } from "../fixtures/person.ts";
import { connectTo, startServer } from "../fixtures/server-process.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

async function doctor(...args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, "doctor", "--json", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const findings = output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Finding);
  const of = (check: string) => findings.filter((each) => each.check === check);
  return { status, findings, of };
}

test("beside a running server it asks the server, comes in from outside, and is content", async () => {
  const dataFolder = testFolder();
  const { port } = await startServer({ dataFolder });
  const { status, of } = await doctor("--data", dataFolder, "--port", String(port));
  expect(status).toBe(0);
  expect(of("store")[0]?.says).toContain("a server runs on it");
  expect(of("server")[0]?.says).toContain("says that it is ready");
  expect(of("address")[0]).toMatchObject({
    level: "ok",
    says: expect.stringContaining("WebSocket"),
  });
});

test("of a server that was killed it reads the store, changes nothing, and leaves nothing behind", async () => {
  const dataFolder = testFolder();
  const server = await startServer({ dataFolder });
  const client = await connectTo(server.origin);
  await client.signUp(new Person("alice"));
  server.signal("SIGKILL");
  await server.exited;
  const contents = () =>
    readdirSync(dataFolder)
      .filter((name) => statSync(join(dataFolder, name)).isFile())
      .map((name) => [name, readFileSync(join(dataFolder, name)).toString("base64")]);
  const before = contents();
  const { status, of } = await doctor("--data", dataFolder, "--port", "0");
  expect(contents()).toEqual(before);
  expect(status).toBe(0);
  expect(of("store")[0]?.says).toMatch(/^sound, version \d+, 1 accounts/);

  const next = await startServer({ dataFolder });
  next.signal("SIGTERM");
  await next.exited;
  const stopped = contents();
  expect((await doctor("--data", dataFolder, "--port", "0")).status).toBe(0);
  expect(contents()).toEqual(stopped);
});

test("names a damaged store, open permissions and a taken port, each with advice, and ends with 1", async () => {
  const dataFolder = testFolder();
  const server = await startServer({ dataFolder });
  server.signal("SIGTERM");
  await server.exited;
  const other = await startServer({ dataFolder: testFolder() });
  const path = join(dataFolder, "parley.db");
  const bytes = readFileSync(path);
  bytes.fill(0xff, 4096, 3 * 4096);
  writeFileSync(path, bytes);
  chmodSync(path, 0o644);
  const { status, of } = await doctor("--data", dataFolder, "--port", String(other.port));
  expect(status).toBe(1);
  expect(of("store")[0]).toMatchObject({
    level: "problem",
    advice: expect.stringContaining("copy"),
  });
  expect(of("data folder")[0]?.advice).toBe(`chmod go= ${path}`);
  expect(of("port")[0]).toMatchObject({ level: "problem", says: expect.stringContaining("taken") });
});

test("looks at a folder that is not there yet, and at one that cannot be", async () => {
  const folder = join(testFolder(), "new");
  const fresh = await doctor("--data", folder, "--port", "0");
  expect(fresh.status).toBe(0);
  expect(fresh.of("data folder")[0]?.says).toContain("the server makes it");
  writeFileSync(folder, "");
  const file = await doctor("--data", folder, "--port", "0");
  expect([file.status, file.of("data folder")[0]?.level]).toEqual([1, "problem"]);
});

test("refuses a wrong option with 64 and a wrong configuration with 78", async () => {
  expect((await doctor("--hold", "soon")).status).toBe(64);
  const file = join(testFolder(), "parley.toml");
  writeFileSync(file, "[server]\nprot = 1\n");
  expect((await doctor("--config", file)).status).toBe(78);
});
