import type { DescMessage } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { hasMoreFieldsThan } from "../src/count-fields.ts";
import {
  CLIENT_FRAME_FIELDS_MAX,
  ClientFrameSchema,
  encodeClientFrame,
  SERVER_FRAME_FIELDS_MAX,
  ServerFrameSchema,
} from "../src/index.ts";
import { rulesOf } from "./fixtures/sample.ts";

/** Fields of a message that has as much of everything as its limits allow. */
function fullest(schema: DescMessage): number {
  const counts = schema.fields.map((field) => {
    const items = field.fieldKind === "list" ? (rulesOf(field).maxItems ?? 0) : 1;
    const count = items * (1 + (field.message === undefined ? 0 : fullest(field.message)));
    return { oneof: field.oneof, count };
  });
  const alone = counts.filter(({ oneof }) => oneof === undefined);
  const chosen = schema.oneofs.map((each) =>
    Math.max(...counts.filter(({ oneof }) => oneof === each).map(({ count }) => count)),
  );
  return [...alone.map(({ count }) => count), ...chosen].reduce((sum, count) => sum + count, 0);
}

test("the fullest frame has room for fields that come later", () => {
  expect(fullest(ClientFrameSchema) * 1.2).toBeLessThan(CLIENT_FRAME_FIELDS_MAX);
  expect(fullest(ServerFrameSchema) * 1.2).toBeLessThan(SERVER_FRAME_FIELDS_MAX);
});

test("fields are counted in every depth, and numbers side by side one by one", () => {
  const frame = encodeClientFrame({
    requestId: 1,
    request: {
      case: "fetchPrekeyBundles",
      value: { accountId: new Uint8Array(16), deviceIds: [1, 2, 3] },
    },
  });
  // Request id, request, account id, list, and what is in it.
  expect(hasMoreFieldsThan(6, ClientFrameSchema, frame)).toBe(true);
  expect(hasMoreFieldsThan(7, ClientFrameSchema, frame)).toBe(false);
});
