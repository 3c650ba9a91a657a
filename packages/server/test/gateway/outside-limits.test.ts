import { create, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { ClientFrameSchema, ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { sample } from "../../../protocol/test/fixtures/sample.ts";
import { connect } from "../fixtures/embedded.ts";
import { breachesOf } from "../fixtures/outside-limits.ts";
import { talk } from "../fixtures/talk.ts";
import type { WireClient } from "../fixtures/wire-client.ts";

const REQUESTS = (ClientFrameSchema.oneofs[0]?.fields ?? []).map((field) => ({
  name: field.name,
  localName: field.localName,
  schema: field.message as DescMessage,
}));
const LEAST = { size: "least", sender: "client" } as const;

function frameOf(localName: string, value: Message, requestId: number): Uint8Array {
  const request = { case: localName, value } as never;
  return toBinary(ClientFrameSchema, create(ClientFrameSchema, { requestId, request }));
}

/** What is wrong with each of them is answered, in their order. */
async function expectRefused(client: WireClient, { localName, schema }: (typeof REQUESTS)[number]) {
  let requestId = 1_000;
  for (const { what, apply } of breachesOf(schema)) {
    const message = sample(schema, LEAST);
    apply(reflect(schema, message));
    client.sendRaw(frameOf(localName, message, ++requestId));
    const id = requestId;
    const { code } = await client.frame("error", (_, frame) => frame.requestId === id);
    expect([what, code]).toEqual([what, ErrorCode.INVALID_REQUEST]);
  }
}

test.each(REQUESTS)(
  "answers each field of $name that is outside its limits, and lives",
  async (request) => {
    const { server, alice, bob, a } = await talk();
    await expectRefused(a, request);
    await expectRefused(connect(server), request);
    expect((await a.send(alice, bob)).outcome.case).toBe("accepted");
  },
);

test("there is something to refuse in nearly every request", () => {
  const breaches = REQUESTS.map(({ name, schema }) => ({ name, count: breachesOf(schema).length }));
  const without = breaches.filter(({ count }) => count === 0).map(({ name }) => name);
  expect(without).toEqual(["drain", "clear_skipped"]);
  expect(breaches.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(100);
});
