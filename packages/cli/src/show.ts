import type { MessengerEvent, ShownMessage } from "@parley/client";
import type { Style } from "./style.ts";
import { columnsOf, wrap } from "./terminal/columns.ts";
import { neutralise } from "./terminal/neutralise.ts";

/** How messages and events look, for programs (objects, whose fields are a contract) and for people. */

const UPDATE_TO_SEE = "(update Parley to see this)";

export function messageObject(message: ShownMessage): object {
  return {
    type: "message",
    messageId: message.messageId,
    conversation: message.conversation,
    from: nameOf(message),
    ...textFields(message),
    sentAt: message.sentAtMs,
    ...(message.request ? { request: true } : {}),
  };
}

/** A line of `history`. What others wrote has a status too: here it is delivered, or read once shown. */
export function historyObject(message: ShownMessage): object {
  return {
    messageId: message.messageId,
    from: nameOf(message),
    ...textFields(message),
    status: message.status ?? (message.read ? "read" : "delivered"),
    sentAt: message.sentAtMs,
  };
}

function textFields({ content }: ShownMessage): object {
  if (content.kind === "unknown") return { text: null, kind: "unknown" };
  return content.replyTo
    ? { text: content.text, replyTo: content.replyTo }
    : { text: content.text };
}

/** What lasts. Messages are told apart; the others are for programs inside the process, or live (live.ts). */
export type TellableEvent = Extract<
  MessengerEvent,
  { type: "status" | "hole" | "filled" | "alarm" }
>;

const TELLABLE: readonly MessengerEvent["type"][] = ["status", "hole", "filled", "alarm"];

export function isTellable(event: MessengerEvent): event is TellableEvent {
  return TELLABLE.includes(event.type);
}

export function eventObject(event: TellableEvent): object {
  if (event.type !== "status") return event;
  return { type: event.type, messageId: event.messageId, status: event.status };
}

export function eventLine(event: TellableEvent, style: Style): string {
  switch (event.type) {
    case "status":
      return style.dim(`${style.tick(event.status)} ${event.messageId.slice(0, 8)}`);
    case "hole":
      return style.warn(`… ${messages(event.count)} missing, asked for again`);
    case "filled":
      return style.dim(`${messages(event.count)} that were missing arrived`);
    case "alarm":
      return style.warn(`! ${event.kind}: ${event.about}`);
  }
}

const messages = (count: number) => (count === 1 ? "1 message" : `${count} messages`);

/** The rows of a message, each at most `columns` wide; without a width, lines as they are. */
export function messageRows(message: ShownMessage, style: Style, columns?: number): string[] {
  const time = new Date(message.sentAtMs).toTimeString().slice(0, 5);
  const name = message.from.mine ? "you" : nameOf(message);
  const tick = message.status ? `${style.tick(message.status)} ` : "";
  const plainTick = message.status ? "✓✓ read " : "";
  const text = neutralise(message.content.kind === "text" ? message.content.text : UPDATE_TO_SEE);
  const failure = message.failure ? `  not sent: ${message.failure}` : "";
  const head = (shown: string) => `${style.dim(time)} ${tick}${style.bold(shown)}:`;
  const warned = (lines: readonly string[]) =>
    lines.filter(Boolean).map((line) => style.warn(line));
  if (columns === undefined) {
    const [first = "", ...rest] = text.split("\n");
    return [`${head(name)} ${first}`, ...rest.map(indented), ...warned([failure])];
  }
  const failed = warned(wrap(failure, columns));
  const room = columns - columnsOf(`${time} ${plainTick}${name}: `);
  if (room >= MIN_COLUMNS) {
    const [first = "", ...rest] = wrap(text, room);
    return [`${head(name)} ${first}`, ...rest.map(indented), ...failed];
  }
  const nameRoom = columns - columnsOf(`${time} ${plainTick}:`);
  const below = wrap(text, Math.max(columns - INDENT.length, 1));
  return [head(clipped(name, nameRoom)), ...below.map(indented), ...failed];
}

const INDENT = "      ";
const indented = (line: string) => `${INDENT}${line}`;

/** Where less is left beside the name, the text begins below it. */
const MIN_COLUMNS = 10;

function clipped(name: string, columns: number): string {
  return columnsOf(name) <= columns ? name : `${name.slice(0, Math.max(columns - 1, 0))}…`;
}

/** The sender's handle, or his account's id where no handle is known. */
export function nameOf(message: ShownMessage): string {
  return message.from.handle ?? message.from.accountId;
}
