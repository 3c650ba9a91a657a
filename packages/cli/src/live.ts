import type { MessengerEvent, TypingState } from "@parley/client";
import type { Style } from "./style.ts";

/** What is of the moment: shown while it lasts, kept nowhere. */
export type LiveEvent = Extract<MessengerEvent, { type: "typing" | "presence" }>;

export function isLive(event: MessengerEvent): event is LiveEvent {
  return event.type === "typing" || event.type === "presence";
}

/** Fields are a contract. A handle that is not known gives way to the account's id. */
export function liveObject(event: LiveEvent): object {
  if (event.type === "typing") {
    const { type, conversation, handle, state } = event;
    return { type, conversation, from: handle ?? event.from, state };
  }
  const { type, accountId, handle, online, lastSeenMs } = event;
  return { type, handle: handle ?? accountId, online, lastSeenAt: lastSeenMs ?? null };
}

export function liveLine(event: LiveEvent, style: Style): string {
  if (event.type === "typing")
    return style.dim(`${event.handle ?? event.from} ${DOES[event.state]}`);
  return style.dim(`${event.handle ?? event.accountId} ${whereabouts(event)}`);
}

export const DOES: Record<TypingState, string> = {
  typing: "is typing…",
  recording: "is recording…",
  stopped: "has stopped",
};

/** As of now: the day is left out where it is today. */
export function whereabouts(
  { online, lastSeenMs }: { readonly online: boolean; readonly lastSeenMs: number | undefined },
  now = new Date(),
): string {
  if (online) return "is online";
  if (lastSeenMs === undefined) return "is not online";
  const then = new Date(lastSeenMs);
  const time = then.toTimeString().slice(0, 5);
  const isToday = then.toDateString() === now.toDateString();
  return `was last here ${isToday ? "" : `on ${dayOf(then)} `}at ${time}`;
}

function dayOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
