import { createInterface } from "node:readline";
import { type MessageStatus, MessengerError } from "@parley/client";
import { followArrivals } from "../arrivals.ts";
import { eventLine, messageRows, type TellableEvent } from "../show.ts";
import { untilStopped } from "../stopped.ts";
import { PLAIN } from "../style.ts";
import { graphemesOf } from "../terminal/columns.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";
import { obey } from "./chat-commands.ts";
import type { ChatWith } from "./chat-with.ts";
import { Outgoing } from "./outgoing.ts";

const SCROLLBACK_MESSAGES = 20;
const EXCERPT_CHARACTERS = 30;

/** For pipes and terminals that can only print: a line for each thing that happens. */
export async function lineChat(chat: ChatWith): Promise<void> {
  const { device, accountId } = chat;
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const excerpts = new Map<string, string>();
  const { promise: failure, reject: fail } = Promise.withResolvers<never>();
  const shownBefore = await device.messenger.history(accountId, { limit: SCROLLBACK_MESSAGES });
  for (const message of shownBefore.filter((one) => one.from.mine || one.read))
    print(messageRows(message, PLAIN).join("\n"));
  const following = followArrivals(device, {
    conversation: accountId,
    keepUnread: false,
    ready: () => {},
    message: (message) => {
      print(messageRows(message, PLAIN).join("\n"));
      return true;
    },
    event: (event) => print(lineOf(event, excerpts)),
    failed: fail,
  });
  try {
    const talk = following.started.then(() => sendLines(chat, excerpts, print));
    await Promise.race([talk, failure, untilStopped()]);
  } finally {
    await following.stop();
  }
}

async function sendLines(
  chat: ChatWith,
  excerpts: Map<string, string>,
  print: (line: string) => void,
): Promise<void> {
  const { messenger } = chat.device;
  const outgoing = new Outgoing(messenger);
  for await (const line of createInterface({ input: process.stdin, terminal: false })) {
    const done = await obey(chat, line);
    if (done.kind === "leave") break;
    if (done.kind === "told") print(done.lines.join("\n"));
    if (done.kind !== "text" || done.text === "") continue;
    try {
      const { messageId } = await messenger.sendText(chat.accountId, done.text);
      excerpts.set(messageId, excerptOf(done.text));
      outgoing.add(messageId);
    } catch (cause) {
      if (!(cause instanceof MessengerError)) throw cause;
      print(`not sent: ${cause.message}`);
    }
  }
  await outgoing.settled();
}

const LAST: readonly MessageStatus[] = ["read", "failed"];

function lineOf(event: TellableEvent, excerpts: Map<string, string>): string {
  if (event.type !== "status") return eventLine(event, PLAIN);
  const excerpt = excerpts.get(event.messageId) ?? event.messageId.slice(0, 8);
  if (LAST.includes(event.status)) excerpts.delete(event.messageId);
  const tick = event.status === "read" ? "✓✓" : PLAIN.tick(event.status);
  return `  ${tick} ${event.status}  ${excerpt}`;
}

function excerptOf(text: string): string {
  const characters = graphemesOf(neutraliseLine(text.slice(0, EXCERPT_CHARACTERS * 8)));
  return characters.length > EXCERPT_CHARACTERS
    ? `${characters.slice(0, EXCERPT_CHARACTERS).join("")}…`
    : characters.join("");
}
