import { expect, test } from "vitest";
import { loopbackOrigins, readConfig, UsageError } from "../src/config.ts";
import { SETTINGS_DEFAULT } from "../src/settings.ts";

test("begins on loopback, with open sign-up", () => {
  expect(readConfig([], {})).toEqual({
    dataFolder: "./data",
    host: "127.0.0.1",
    port: 7420,
    logLevel: "info",
    origins: [],
    settings: { signUp: "open", perMinute: SETTINGS_DEFAULT.perMinute },
  });
  expect(loopbackOrigins(7420)).toEqual([
    "http://127.0.0.1:7420",
    "http://localhost:7420",
    "http://[::1]:7420",
  ]);
});

test("takes flags before the environment", () => {
  const env = { PARLEY_PORT: "1", PARLEY_DATA: "/env", PARLEY_SENDS: "9" };
  expect(readConfig(["--port", "2"], env)).toMatchObject({
    port: 2,
    dataFolder: "/env",
    settings: { perMinute: { send: 9 } },
  });
});

test("asks for an origin, and closes sign-up, where it is not on loopback", () => {
  expect(() => readConfig(["--host", "0.0.0.0"], {})).toThrow(/--origin/);
  const origins = { PARLEY_ORIGINS: "https://a.example,https://b.example" };
  expect(readConfig(["--host", "0.0.0.0"], origins)).toMatchObject({
    origins: ["https://a.example", "https://b.example"],
    settings: { signUp: "closed" },
  });
});

test("says what is wrong with what was typed", () => {
  for (const args of [
    ["--port", "70000"],
    ["--port", "x"],
    ["--origin", "https://chat.example/path"],
    ["--origin", "chat.example"],
    ["--sign-up", "maybe"],
    ["--log", "loud"],
    ["--nonsense"],
    ["word"],
  ])
    expect(() => readConfig(args, {})).toThrow(UsageError);
  expect(readConfig(["--help"], {})).toBe("help");
});
