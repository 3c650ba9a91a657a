import { expect, test } from "vitest";
import { promptOf } from "../src/chat/prompt.ts";
import { columnsOf } from "../src/terminal/columns.ts";

test("the prompt says what there is to say, as long as there is room to type", () => {
  const request = { connection: "online", isRequest: true };
  expect(promptOf(request, 80)).toBe("(a stranger: write or /accept, or /block) › ");
  expect(promptOf(request, 40)).toBe("(a stranger: /help) › ");
  expect(promptOf({ ...request, connection: "offline" }, 40)).toBe("(offline) › ");
  expect(promptOf(request, 20)).toBe("› ");
  expect(promptOf({ connection: "online", isRequest: false }, 80)).toBe("› ");
});

test("the prompt leaves room to type on any terminal", () => {
  for (let columns = 20; columns <= 100; columns++)
    expect(
      columnsOf(promptOf({ connection: "catching-up", isRequest: true }, columns)),
    ).toBeLessThanOrEqual(columns - 14);
});
