import { createInterface } from "node:readline";
import { MessengerError, type TypingState } from "@parley/client";
import { followArrivals } from "../arrivals.ts";
import { liveObject } from "../live.ts";
import { outputOf } from "../output.ts";
import { eventObject, messageObject } from "../show.ts";
import { untilStopped } from "../stopped.ts";
import type { ChatWith } from "./chat-with.ts";
import { Outgoing } from "./outgoing.ts";

interface Typed {
  readonly kind: "text";
  readonly text: string;
  readonly replyTo?: string;
  /** Comes back with the answer. */
  readonly ref?: unknown;
}

interface Activity {
  readonly kind: "typing";
  readonly state: TypingState;
}

/** Messages given to the store at once: what piles up during a commit forms the next. */
const WINDOW = 64;

/** For programs: objects in, objects out, over one connection. */
export async function jsonChat(
  chat: ChatWith,
  { live }: { readonly live?: true } = {},
): Promise<void> {
  const { messenger } = chat.device;
  const output = outputOf({ json: true });
  const print = (object: object) => output.print(object, () => undefined);
  const { promise: failure, reject: fail } = Promise.withResolvers<never>();
  const following = followArrivals(chat.device, {
    conversation: chat.accountId,
    keepUnread: false,
    ready: () => print({ type: "ready" }),
    message: (message) => {
      print(messageObject(message));
      return true;
    },
    event: (event) => print(eventObject(event)),
    live: live && ((event) => print(liveObject(event))),
    failed: fail,
  });
  try {
    if (live) await messenger.watchPresence([chat.accountId]);
    const talk = following.started.then(() => sendLines(chat, print));
    await Promise.race([talk, failure, untilStopped()]);
  } finally {
    await following.stop();
  }
}

async function sendLines(chat: ChatWith, print: (object: object) => void): Promise<void> {
  const outgoing = new Outgoing(chat.device.messenger);
  const saving = new Set<Promise<void>>();
  for await (const line of createInterface({ input: process.stdin, crlfDelay: 0 })) {
    if (line === "") continue;
    const saved: Promise<void> = sendLine(chat, line, print, outgoing).finally(() =>
      saving.delete(saved),
    );
    saving.add(saved);
    if (saving.size >= WINDOW) await Promise.race(saving);
  }
  await Promise.all(saving);
  await outgoing.settled();
}

async function sendLine(
  { device, accountId }: ChatWith,
  line: string,
  print: (object: object) => void,
  outgoing: Outgoing,
): Promise<void> {
  const typed = parse(line);
  if (!typed) {
    print({ type: "refused", code: "malformed" });
    return;
  }
  if (typed.kind === "typing") {
    device.messenger.typing(accountId, typed.state);
    return;
  }
  const { text, replyTo, ref } = typed;
  const echo = ref === undefined ? {} : { ref };
  try {
    const options = replyTo === undefined ? {} : { replyTo };
    const { messageId } = await device.messenger.sendText(accountId, text, options);
    print({ type: "status", messageId, status: "queued", ...echo });
    outgoing.add(messageId);
  } catch (cause) {
    if (!(cause instanceof MessengerError)) throw cause;
    print({ type: "refused", code: cause.code, ...echo });
  }
}

const STATES: readonly TypingState[] = ["typing", "recording", "stopped"];

function parse(line: string): Typed | Activity | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null) return undefined;
    if ("typing" in value) {
      const state = STATES.find((each) => each === value.typing);
      return state && { kind: "typing", state };
    }
    if (!("text" in value)) return undefined;
    const { text, replyTo, ref } = value as { text: unknown; replyTo?: unknown; ref?: unknown };
    if (typeof text !== "string") return undefined;
    if (replyTo !== undefined && typeof replyTo !== "string") return undefined;
    return { kind: "text", text, ref, ...(replyTo === undefined ? {} : { replyTo }) };
  } catch {
    return undefined;
  }
}
