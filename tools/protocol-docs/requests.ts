import type { DescFile, DescMessage } from "@bufbuild/protobuf";
import { table } from "./table.ts";

/** Those whose answer does not have the request's name. Undefined: not answered. */
const ANSWERS: Readonly<Record<string, string | undefined>> = {
  hello: "welcome",
  drain: "drained",
  ack: undefined,
  send_live: undefined,
};
const BEFORE_LOGIN: readonly string[] = ["sign_up", "hello", "put_link_step", "take_link_step"];

/** Every request with its answer. Throws where the chapter has no section on one. */
export function requestsTable(frames: DescFile, page: string): string {
  const [requests, responses] = [
    messageOf(frames, "ClientFrame"),
    messageOf(frames, "ServerFrame"),
  ];
  const rows = requests.fields
    .filter(({ oneof }) => oneof !== undefined)
    .map(({ name, message, number }) => {
      if (!page.includes(`\n### ${name}\n`)) throw new Error(`PROTOCOL.md says nothing of ${name}`);
      const answer = name in ANSWERS ? ANSWERS[name] : name;
      const answered = responses.fields.find((field) => field.name === answer);
      if (answer !== undefined && answered === undefined) throw new Error(`no answer to ${name}`);
      return [
        `[\`${name}\`](#${name})`,
        String(number),
        link(message),
        answered === undefined ? "none" : link(answered.message),
        BEFORE_LOGIN.includes(name) ? "yes" : "",
      ];
    });
  return table(["request", "#", "message", "answer", "before login"], rows);
}

const link = (message: DescMessage | undefined) =>
  `[${message?.name}](#${message?.name.toLowerCase()})`;

function messageOf({ messages }: DescFile, name: string): DescMessage {
  const found = messages.find((message) => message.name === name);
  if (found === undefined) throw new Error(`no message ${name}`);
  return found;
}
