import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CONFIG_DEFAULT, loopbackOrigins } from "../../src/config/config.ts";
import { configCommand } from "../../src/config/config-command.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { testFolder } from "../fixtures/embedded.ts";

type Env = Readonly<Record<string, string>>;

function configOf(args: readonly string[], env: Env = {}) {
  const read = readConfig(args, env);
  if (read === "help") throw new Error("help");
  return read.config;
}

/** What is wrong, in the words of the person who reads it. */
function problemsOf(args: readonly string[], env: Env = {}): readonly string[] {
  try {
    readConfig(args, env);
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.message.split("\n");
    throw cause;
  }
  return [];
}

function fileOf(toml: string): string {
  const path = join(testFolder(), "a.toml");
  writeFileSync(path, toml);
  return path;
}

test("begins on loopback, with open sign-up", () => {
  expect(configOf([])).toEqual(CONFIG_DEFAULT);
  expect(configOf([])).toMatchObject({ host: "127.0.0.1", settings: { signUp: "open" } });
  expect(loopbackOrigins(7420)).toEqual([
    "http://127.0.0.1:7420",
    "http://localhost:7420",
    "http://[::1]:7420",
  ]);
});

test("takes a flag before the environment before the file", () => {
  const file = fileOf("[server]\nport = 1\nhost = '127.0.0.1'\nconnections_max = 3\n");
  const env = { PARLEY_CONFIG: file, PARLEY__SERVER__PORT: "2", PARLEY__SERVER__DRAIN_MS: "5" };
  expect(configOf(["--port", "4"], env)).toMatchObject({
    port: 4,
    host: "127.0.0.1",
    settings: { connectionsMax: 3, drainMs: 5 },
  });
  expect(configOf([], env).port).toBe(2);
  expect(configOf(["--config", file]).port).toBe(1);
});

test.each([
  [["--data", "x"], {}, { dataFolder: "x" }],
  [["--server.data=x"], {}, { dataFolder: "x" }],
  [["--log", "debug"], {}, { logLevel: "debug" }],
  [["--sign-up", "closed"], {}, { settings: { signUp: "closed" } }],
  [["--mailbox.envelopes_max", "7"], {}, { settings: { mailbox: { envelopesMax: 7 } } }],
  [[], { PARLEY_DATA: "y" }, { dataFolder: "y" }],
  [[], { PARLEY_PORT: "0", PARLEY_LOG: "silent" }, { port: 0, logLevel: "silent" }],
  [[], { PARLEY__LOG__LEVEL: "error" }, { logLevel: "error" }],
  [["--port", "1", "--port", "2"], {}, { port: 2 }],
  [
    ["--origin", "https://a.example", "--origin", "https://b.example,https://c.example"],
    {},
    { settings: { origins: ["https://a.example", "https://b.example", "https://c.example"] } },
  ],
  [
    [],
    { PARLEY_ORIGINS: "https://a.example, https://b.example" },
    { settings: { origins: ["https://a.example", "https://b.example"] } },
  ],
  [[], { PARLEY__SERVER__ORIGINS: "[]" }, { settings: { origins: [] } }],
  // An empty variable is one that was not set.
  [[], { PARLEY_PORT: "", PARLEY__SERVER__PORT: "8" }, { port: 8 }],
] as const)("takes %j with %j", (args, env, expected) => {
  expect(configOf(args, env)).toMatchObject(expected);
});

test("reads a value from the file that the environment names", () => {
  const file = fileOf("7421\n");
  expect(configOf([], { PARLEY__SERVER__PORT_FILE: file }).port).toBe(7421);
  expect(problemsOf([], { PARLEY__SERVER__PORT_FILE: join(file, "none") })[0]).toMatch(
    /^PARLEY__SERVER__PORT_FILE: cannot be read: ENOTDIR/,
  );
  expect(problemsOf([], { PARLEY__SERVER__PORT_FILE: file, PARLEY_PORT: "1" })).toEqual([
    "PARLEY_PORT: PARLEY__SERVER__PORT_FILE says the same thing: set one of them",
  ]);
});

test("finds parley.toml in the data folder", () => {
  const dataFolder = join(testFolder(), "data");
  mkdirSync(dataFolder);
  writeFileSync(join(dataFolder, "parley.toml"), "[log]\nlevel = 'warn'\n");
  expect(configOf(["--data", dataFolder]).logLevel).toBe("warn");
  expect(configOf([], { PARLEY_DATA: dataFolder }).logLevel).toBe("warn");
});

test("asks for an origin, and for invitations, where it is not on loopback", () => {
  expect(problemsOf(["--host", "0.0.0.0"])[0]).toMatch(
    /^--host: 0\.0\.0\.0 is not loopback.*--origin/,
  );
  const elsewhere = ["--host", "0.0.0.0", "--origin", "https://a.example"];
  expect(configOf(elsewhere).settings.signUp).toBe("invitation");
  expect(configOf([...elsewhere, "--sign-up", "open"]).settings.signUp).toBe("open");
});

test.each([
  [["--port", "70000"], {}, "--port: takes a whole number from 0 to 65535, not 70000"],
  [["--port", "1.5"], {}, '--port: takes a whole number from 0 to 65535, not "1.5"'],
  [["--port"], {}, "--port: needs a value"],
  [["--port", "--log", "info"], {}, "--port: needs a value"],
  [["--prt", "1"], {}, "--prt: there is no such option; --port?"],
  [
    ["--mailbox.envelope_max=1"],
    {},
    "--mailbox.envelope_max: there is no such option; --mailbox.envelopes_max?",
  ],
  [["--nonsense"], {}, "--nonsense: there is no such option"],
  [["word"], {}, "word: there is no such option"],
  [["--"], {}, "--: there is no such option"],
  [["--log", "loud"], {}, '--log: takes one of silent, error, warn, info, debug, not "loud"'],
  [
    ["--origin", "https://chat.example/path"],
    {},
    '--origin: takes a list of origins such as https://chat.example, not ["https://chat.example/path"]',
  ],
  [
    [],
    { PARLEY_PORT: "x" },
    'PARLEY_PORT: server.port takes a whole number from 0 to 65535, not "x"',
  ],
  [
    [],
    { PARLEY__SERVER__PROT: "1" },
    "PARLEY__SERVER__PROT: there is no such setting; PARLEY__SERVER__PORT?",
  ],
  [[], { PARLEY__: "1" }, "PARLEY__: there is no such setting"],
])("of %j with %j it says what would be right", (args, env, says) => {
  expect(problemsOf(args, env)).toEqual(expect.arrayContaining([says]));
});

test.each([
  ["[server]\nprot = 1", ":2: there is no server.prot; port?"],
  ["[sever]\nport = 1", ":1: there is no [sever]; [server]?"],
  ["[log]\n\nport = 1", ":3: there is no log.port; port stands under [server]"],
  ["# on top\nport = 1", ":2: port stands under [server]"],
  ["server = 1", ":1: [server] is a table of settings"],
  ["[server]\nport = '1'", ':2: server.port takes a whole number from 0 to 65535, not "1"'],
  ["server.port = 65_536", ":1: server.port takes a whole number from 0 to 65535, not 65536"],
  ["server = { port = true }", ":1: server.port takes a whole number from 0 to 65535, not true"],
  [
    "[server]\norigins = 'https://a.example'",
    ':2: server.origins takes a list of origins such as https://chat.example, not "https://a.example"',
  ],
  [
    "[server]\nport = 1\nport = 2",
    ":3:1: Invalid TOML document: trying to redefine an already defined table",
  ],
  ["[server\n", ":1:"],
])("of the file %j it says where, and what would be right", (toml, says) => {
  const file = fileOf(toml);
  expect(problemsOf(["--config", file])[0]).toContain(`${file}${says}`);
});

test("says everything that is wrong at once, also where it is overridden", () => {
  const file = fileOf("[server]\nport = 'a'\nhots = 1\n[lgo]\n");
  const found = problemsOf(["--config", file, "--port", "x"], { PARLEY_LOG: "loud" });
  expect(found.map((line) => line.replace(file, "a.toml").split(": ")[0])).toEqual([
    "a.toml:3",
    "a.toml:4",
    "a.toml:2",
    "PARLEY_LOG",
    "--port",
  ]);
});

test("tells a wrong command from a wrong configuration", () => {
  const causeOf = (args: readonly string[], env: Env = {}) => {
    try {
      readConfig(args, env);
    } catch (cause) {
      return cause as ConfigError;
    }
    throw new Error("nothing is wrong");
  };
  expect(causeOf(["--port", "x"]).isUsage).toBe(true);
  expect(causeOf([], { PARLEY_PORT: "x" }).isUsage).toBe(false);
  expect(causeOf(["--config", "/nowhere/parley.toml"]).isUsage).toBe(false);
});

test("a secret comes from a file, is no option, and is never printed", () => {
  const secret = "Bearer sesame";
  const env = { PARLEY__TRACING__AUTHORIZATION_FILE: fileOf(`${secret}\n`) };
  expect(configOf([], env).tracing.authorization).toBe(secret);
  for (const args of [["show"], ["show", "--json"], ["check"], ["check", "--json"]])
    expect(JSON.stringify(configCommand(args, env))).not.toContain("sesame");
  expect(configCommand(["show"], env)).toMatchObject({
    output: expect.stringMatching(
      /authorization = "\(secret\)" +# PARLEY__TRACING__AUTHORIZATION_FILE/,
    ),
  });
  expect(problemsOf([`--tracing.authorization=${secret}`])).toEqual([
    "--tracing.authorization: is a secret, and no option: name a file that holds it in PARLEY__TRACING__AUTHORIZATION_FILE",
  ]);
  const wrong = problemsOf([], { PARLEY__TRACING__AUTHORIZATION: "two\nlines sesame" });
  expect(wrong).toHaveLength(1);
  expect(wrong[0]).not.toContain("sesame");
});

test("knows that help was asked for, whatever else is wrong", () => {
  expect(readConfig(["--help"], {})).toBe("help");
  expect(readConfig(["--prt", "-h"], {})).toBe("help");
});
