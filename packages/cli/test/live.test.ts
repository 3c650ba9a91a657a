import { expect, test } from "vitest";
import { StatusRow } from "../src/chat/status-row.ts";
import { whereabouts } from "../src/live.ts";

const NOW = new Date(2026, 10, 24, 15, 30);
const at = (...time: [number, number, number, number, number]) => new Date(...time).getTime();

test("when somebody was last there is told as people tell it", () => {
  expect(whereabouts({ online: true, lastSeenMs: undefined }, NOW)).toBe("is online");
  expect(whereabouts({ online: false, lastSeenMs: undefined }, NOW)).toBe("is not online");
  expect(whereabouts({ online: false, lastSeenMs: at(2026, 10, 24, 9, 5) }, NOW)).toBe(
    "was last here at 09:05",
  );
  expect(whereabouts({ online: false, lastSeenMs: at(2026, 10, 3, 23, 59) }, NOW)).toBe(
    "was last here on 2026-11-03 at 23:59",
  );
});

test("the row shows the one of this chat, typing before presence, and nothing where nothing is known", () => {
  const row = new StatusRow("bob");
  const presence = { type: "presence", accountId: "b", handle: "bob" } as const;
  const typing = { type: "typing", conversation: "b", from: "b", handle: "bob" } as const;
  expect(row.text).toBe(undefined);
  expect(row.take({ ...typing, conversation: "c", from: "c", state: "typing" }, "b")).toBe(false);
  expect(row.text).toBe(undefined);
  row.take({ ...presence, online: true, lastSeenMs: undefined }, "b");
  expect(row.text).toBe("bob is online");
  row.take({ ...typing, state: "recording" }, "b");
  expect(row.text).toBe("bob is recording…");
  row.take({ ...typing, state: "stopped" }, "b");
  row.take({ ...presence, online: false, lastSeenMs: undefined }, "b");
  expect(row.text).toBe(undefined);
});
