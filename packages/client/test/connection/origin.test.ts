import { expect, test } from "vitest";
import { originOf } from "../../src/connection/origin.ts";

test.each([
  ["http://127.0.0.1:7420", "http://127.0.0.1:7420"],
  ["https://Chat.Example/", "https://chat.example"],
  ["HTTPS://chat.example:443/parley?x#y", "https://chat.example"],
  ["http://chat.example:80", "http://chat.example"],
  ["https://chat.example:80", "https://chat.example:80"],
  ["http://[::1]:7420", "http://[::1]:7420"],
])("the origin of %s is %s, as a browser has it", (url, origin) => {
  expect(originOf(url)).toBe(origin);
  expect(originOf(url)).toBe(new URL(url).origin);
});

test.each(["ws://here", "here", "http://", "http://user@here"])("%s has none", (url) => {
  expect(() => originOf(url)).toThrow(RangeError);
});
