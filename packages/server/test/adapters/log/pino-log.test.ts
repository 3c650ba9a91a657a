import { expect, test } from "vitest";
import { pinoLog } from "../../../src/adapters/log/pino-log.ts";
import type { LogFields } from "../../../src/ports/log.ts";

function lineOf(fields: object): Record<string, unknown> {
  const lines: string[] = [];
  pinoLog("debug", { write: (line) => lines.push(line) }).warn(fields as LogFields, "disk-full");
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] as string);
}

test("a line has a time, a level by name, the event, and what the event tells", () => {
  expect(lineOf({ limit: "send", count: 3 })).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    level: "warn",
    event: "disk-full",
    limit: "send",
    count: 3,
  });
});

test("what no line may tell is dropped, whoever tries", () => {
  const line = lineOf({ handle: "alice", token: "t0ken", headers: { cookie: "x" }, count: 1 });
  expect(Object.keys(line).toSorted()).toEqual(["count", "event", "level", "time"]);
});

test("an error keeps its type, its frames and its causes, and loses what may name somebody", () => {
  const cause = new TypeError('Unexpected token in JSON at "my secret message"');
  const line = lineOf({
    err: new Error("no row 00112233445566778899aabbccddeeff for 203.0.113.7 or 2001:db8::1", {
      cause,
    }),
  });
  expect(line["err"]).toMatchObject({
    type: "Error",
    message: "no row … for … or …",
    stack: expect.stringMatching(/^ {4}at /),
    cause: { type: "TypeError", message: "Unexpected token in JSON at …" },
  });
  expect(JSON.stringify(line)).not.toMatch(/secret|0011|203\.0|db8/);
});

test("an error that is its own cause is told once or a few times, and ends", () => {
  const err: Error = new Error("round");
  err.cause = err;
  expect(JSON.stringify(lineOf({ err })).match(/round/g)?.length).toBeLessThan(5);
});

test("a level below the one that was asked for writes nothing", () => {
  const lines: string[] = [];
  const log = pinoLog("warn", { write: (line) => lines.push(line) });
  log.info({}, "stopped");
  log.debug({}, "push");
  expect(lines).toEqual([]);
});
