import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Person } from "../fixtures/person.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const parley = (...words: string[]) => new Person("alice").run(...words);

test("config default prints a file that config check finds right", async () => {
  const file = join(temporaryFolder(), "parley.toml");
  const printed = await parley("config", "default");
  expect([printed.status, printed.stderr]).toEqual([0, ""]);
  writeFileSync(file, printed.stdout);
  const checked = await parley("config", "check", "--config", file);
  expect([checked.status, checked.stdout]).toEqual([
    0,
    expect.stringContaining(`ok: ${file}; 0 of`),
  ]);
});

test("config check names everything that is wrong, and ends with 78, or 64 for an option", async () => {
  const file = join(temporaryFolder(), "parley.toml");
  writeFileSync(file, "[server]\nprot = 1\n[log]\nlevel = 5\n");
  const ran = await parley("config", "check", "--config", file);
  expect(ran.status).toBe(78);
  expect(ran.stdout.split("\n")).toEqual([
    `${file}:2: there is no server.prot; port?`,
    `${file}:4: log.level takes one of silent, error, warn, info, debug, not 5`,
    "",
  ]);
  const asJson = await parley("config", "check", "--config", file, "--json");
  expect(asJson.objects).toEqual([
    { problems: [expect.objectContaining({ where: `${file}:2` }), expect.anything()] },
  ]);
  expect((await parley("config", "check", "--prot", "1")).status).toBe(64);
  expect((await parley("config", "chek")).status).toBe(64);
  expect((await parley("serve", "--config", file)).status).toBe(78);
});

test("config show says what counts and where it comes from", async () => {
  const file = join(temporaryFolder(), "parley.toml");
  writeFileSync(file, "[server]\nport = 1\nconnections_max = 5\n");
  const ran = await parley("config", "show", "--config", file, "--port", "9", "--json");
  expect(ran.status).toBe(0);
  const byName = new Map(ran.objects.map((each) => [each["name"], each]));
  expect(byName.get("server.port")).toEqual({ name: "server.port", value: 9, from: "--port" });
  expect(byName.get("server.connections_max")).toMatchObject({ value: 5, from: `${file}:3` });
  expect(byName.get("log.level")).toMatchObject({ value: "info", from: "default" });
});
