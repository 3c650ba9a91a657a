import type { ShownMessage } from "@parley/client";
import { expect, test } from "vitest";
import { messageRows } from "../src/show.ts";
import { PLAIN } from "../src/style.ts";
import { columnsOf } from "../src/terminal/columns.ts";

const NARROWEST = 20;
const TEXT =
  "words of several lengths, 漢字も and 👩‍👩‍👧, averyveryverylongwordthatfitsnowhere\nend";
const LONGEST_HANDLE = "h".repeat(32);

const message = (fields: Partial<ShownMessage>): ShownMessage => ({
  messageId: "00".repeat(16),
  conversation: "11".repeat(16),
  from: { accountId: "11".repeat(16), handle: LONGEST_HANDLE, mine: false },
  content: { kind: "text", text: TEXT, replyTo: undefined },
  sentAtMs: 0,
  status: undefined,
  failure: undefined,
  read: true,
  request: false,
  ...fields,
});

test.each([
  ["of somebody with the longest handle", message({})],
  [
    "of somebody without a handle",
    message({ from: { accountId: "11".repeat(16), handle: undefined, mine: false } }),
  ],
  [
    "of one's own that failed",
    message({
      from: { accountId: "22".repeat(16), handle: "me", mine: true },
      status: "failed",
      failure: "the server refused the message for a long reason",
    }),
  ],
  [
    "of one's own that was read",
    message({
      from: { accountId: "22".repeat(16), handle: "me", mine: true },
      status: "read",
    }),
  ],
])("a message %s fits any terminal, and nothing of its text is lost", (_, shown) => {
  for (let columns = NARROWEST; columns <= 100; columns++) {
    const rows = messageRows(shown, PLAIN, columns);
    for (const row of rows)
      expect([columns, row, columnsOf(row) <= columns]).toEqual([columns, row, true]);
    const squeezed = (text: string) => text.replaceAll(/\s/g, "");
    expect(squeezed(rows.join(""))).toContain(squeezed(TEXT));
  }
});
