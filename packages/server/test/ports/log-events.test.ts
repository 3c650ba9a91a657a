import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { LOG_EVENTS } from "../../src/ports/log-events.ts";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));

test("every event is written somewhere", () => {
  const code = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith("log-events.ts"))
    .map((name) => readFileSync(join(SRC, name), "utf8"))
    .join("\n");
  const isWritten = (event: string) => new RegExp(`,\\s*"${event}",?\\s*\\)`).test(code);
  expect(Object.keys(LOG_EVENTS).filter((event) => !isWritten(event))).toEqual([]);
});
