import fs from "node:fs";
import {
  createFileRegistry,
  createRegistry,
  type DescMessage,
  fromBinary,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { file_parley_content_v1_content } from "../src/gen/parley/content/v1/content_pb.ts";
import { file_parley_content_v1_entry } from "../src/gen/parley/content/v1/entry_pb.ts";
import { file_parley_content_v1_signal } from "../src/gen/parley/content/v1/signal_pb.ts";
import { file_parley_wire_v1_account } from "../src/gen/parley/wire/v1/account_pb.ts";
import { file_parley_wire_v1_directory } from "../src/gen/parley/wire/v1/directory_pb.ts";
import { file_parley_wire_v1_envelope } from "../src/gen/parley/wire/v1/envelope_pb.ts";
import { file_parley_wire_v1_error } from "../src/gen/parley/wire/v1/error_pb.ts";
import { file_parley_wire_v1_frame } from "../src/gen/parley/wire/v1/frame_pb.ts";
import { file_parley_wire_v1_message } from "../src/gen/parley/wire/v1/message_pb.ts";
import { file_parley_wire_v1_prekeys } from "../src/gen/parley/wire/v1/prekeys_pb.ts";
import { file_parley_wire_v1_session } from "../src/gen/parley/wire/v1/session_pb.ts";
import { type Sender, validate } from "../src/validate.ts";
import { casesOf, sample } from "./fixtures/sample.ts";

/** The schema of the last release; `npm run release-schema` writes it anew. */
const RELEASED = new URL("../released.binpb", import.meta.url);
const released = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(RELEASED)));
const present = createRegistry(
  file_parley_content_v1_content,
  file_parley_content_v1_entry,
  file_parley_content_v1_signal,
  file_parley_wire_v1_account,
  file_parley_wire_v1_directory,
  file_parley_wire_v1_envelope,
  file_parley_wire_v1_error,
  file_parley_wire_v1_frame,
  file_parley_wire_v1_message,
  file_parley_wire_v1_prekeys,
  file_parley_wire_v1_session,
);

const messages = [...released]
  .filter((each): each is DescMessage => each.kind === "message")
  .filter(({ typeName }) => /^parley\.(wire|content)\./.test(typeName))
  .map((message) => message.typeName);

/** What one side writes, within its own limits, and the other does not take. */
function notUnderstood(by: { writer: Registry; reader: Registry }): string[] {
  return messages.flatMap((typeName) => {
    const [writer, reader] = [by.writer.getMessage(typeName), by.reader.getMessage(typeName)];
    if (writer === undefined || reader === undefined) return [`${typeName} is gone`];
    return samplesOf(writer).flatMap(({ bytes, sender }) => {
      try {
        validate(reader, fromBinary(reader, bytes), sender);
        return [];
      } catch (cause) {
        return [(cause as Error).message];
      }
    });
  });
}

function samplesOf(schema: DescMessage): { bytes: Uint8Array; sender: Sender }[] {
  return SENDERS.flatMap((sender) =>
    SIZES.flatMap((size) =>
      casesOf(schema).map((chosen) => ({
        sender,
        bytes: toBinary(schema, sample(schema, { size, sender }, chosen)),
      })),
    ),
  );
}

const SENDERS = ["client", "server"] as const;
const SIZES = ["least", "most"] as const;

test("the release has the messages of the wire and of content", () => {
  expect(messages.length).toBeGreaterThan(80);
});

test("what the last release writes is taken now", () => {
  expect(notUnderstood({ writer: released, reader: present })).toEqual([]);
});

test("what is written now was taken by the last release", () => {
  expect(notUnderstood({ writer: present, reader: released })).toEqual([]);
});
