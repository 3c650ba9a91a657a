import type { MessengerEvent, ShownMessage } from "@parley/client";
import { openAnnounced } from "./announced.ts";
import { connect, endedError } from "./connect.ts";
import { isLive, type LiveEvent } from "./live.ts";
import type { OpenDevice } from "./open-messenger.ts";
import { ReadMarks } from "./read-marks.ts";
import { isTellable, type TellableEvent } from "./show.ts";

export interface ArrivalsOptions {
  /** Of this conversation only. */
  readonly conversation?: string;
  /** What is put out stays unread. */
  readonly keepUnread: boolean;
  /** Before anything else, once what waited on the server is here. */
  ready(): void;
  /** False: not put out, and so it is none that was shown. */
  message(message: ShownMessage): boolean;
  event(event: TellableEvent): void;
  /** What is of the moment; only to those who ask for it. */
  live?: ((event: LiveEvent) => void) | undefined;
  /** The connection has ended for good, or a read mark could not be kept. */
  failed(cause: unknown): void;
}

export interface Arrivals {
  /** Resolves once what was waiting is put out; fails where the server cannot be reached. */
  readonly started: Promise<void>;
  /** Puts out nothing more; resolves once what was put out is marked. */
  stop(): Promise<void>;
}

/**
 * What arrived since it last ran, then what arrives. A message is marked as read after it was put out: one
 * that was put out right before a crash comes once more, none is lost.
 */
export function followArrivals(device: OpenDevice, options: ArrivalsOptions): Arrivals {
  const { messenger } = device;
  const marks = new ReadMarks(messenger, options.failed);
  const waiting: MessengerEvent[] = [];
  let take = (event: MessengerEvent): unknown => waiting.push(event);
  const unsubscribe = messenger.on((event) => {
    if (event.type === "connection") {
      if (event.state.kind === "ended") options.failed(endedError(event.state.reason));
    } else take(event);
  });
  const start = async () => {
    await connect(messenger);
    options.ready();
    const unread = await messenger.unread();
    const pass = passer(device, { options, marks, unread });
    for (const message of unread) pass({ type: "message", message });
    const shown = new Set(unread.map(idOf));
    for (const event of waiting)
      if (event.type !== "message" || !shown.has(event.message.messageId)) pass(event);
    take = pass;
  };
  return {
    started: start(),
    stop: async () => {
      unsubscribe();
      await marks.settled();
    },
  };
}

interface Passing {
  readonly options: ArrivalsOptions;
  readonly marks: ReadMarks;
  readonly unread: readonly ShownMessage[];
}

function passer({ messenger, home }: OpenDevice, { options, marks, unread }: Passing) {
  const announced = openAnnounced(home, unread.map(idOf));
  const passMessage = (message: ShownMessage) => {
    const { messageId, from, request } = message;
    if (from.mine) return;
    const why = announced.why(messageId);
    // Shown as a stranger's, who is none any more: now it is read.
    if (why === "request" && !request && !options.keepUnread) marks.add(messageId);
    if (why !== undefined || !options.message(message)) return;
    if (request) announced.add(messageId, "request");
    else if (options.keepUnread) announced.add(messageId, "kept");
    else marks.add(messageId);
  };
  const markAccepted = async () => {
    for (const message of await messenger.unread())
      if (announced.why(message.messageId) === "request") passMessage(message);
  };
  return (event: MessengerEvent): void => {
    if (event.type === "contact" && event.contact.state === "accepted")
      markAccepted().catch(options.failed);
    if (!isOf(event, options.conversation)) return;
    if (isTellable(event)) options.event(event);
    if (isLive(event)) options.live?.(event);
    if (event.type === "message") passMessage(event.message);
  };
}

const idOf = (message: ShownMessage) => message.messageId;

function isOf(event: MessengerEvent, conversation: string | undefined): boolean {
  if (conversation === undefined || event.type === "alarm") return true;
  if (event.type === "message") return event.message.conversation === conversation;
  if (event.type === "presence") return event.accountId === conversation;
  return "conversation" in event && event.conversation === conversation;
}
