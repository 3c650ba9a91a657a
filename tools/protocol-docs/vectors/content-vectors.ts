import { create, toBinary } from "@bufbuild/protobuf";
import { accountHead, padContent, sha256 } from "../../../packages/crypto/src/index.ts";
import {
  ContentSchema,
  EntryBodySchema,
  EntryHeadSchema,
} from "../../../packages/protocol/src/index.ts";
import { fixed, type Person } from "./fixed.ts";

const HASH_BYTES = 16;
const SENT_AT_MS = 1_700_000_000_000n;

/** The first text of a chain, from one person to another. */
export function textContent(from: Person, to: Person, text: string) {
  const chain = fixed(`chain of ${text}`, 8);
  const body = toBinary(
    EntryBodySchema,
    create(EntryBodySchema, {
      messageId: fixed(`id of ${text}`, 16),
      sentAtMs: SENT_AT_MS,
      kind: { case: "text", value: { text } },
    }),
  );
  const bodyHash = sha256(body).slice(0, HASH_BYTES);
  const head = toBinary(
    EntryHeadSchema,
    create(EntryHeadSchema, { chain, counter: 1, lamport: 1, bodyHash }),
  );
  const content = toBinary(
    ContentSchema,
    create(ContentSchema, {
      senderHead: accountHead(from.first.state),
      recipientHead: accountHead(to.first.state),
      chain: { chain, start: 1 },
      class: { case: "entry", value: { head, body } },
    }),
  );
  const entryHash = sha256(head).slice(0, HASH_BYTES);
  return { text, body, head, entryHash, content, padded: padContent(content) };
}

/** Lengths of contents at which the padded length steps, and what they become. */
export function paddingVectors() {
  const lengths = [0, 1, 253, 254, 255, 382, 383, 1_150, 1_278, 1_279, 1_280, 5_000, 65_536, 98_000];
  return lengths.map((content) => ({
    content,
    padded: padContent(new Uint8Array(content)).length,
  }));
}
