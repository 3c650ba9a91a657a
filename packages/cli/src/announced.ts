import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flushed } from "./flushed.ts";
import { type Home, readText } from "./home.ts";

/** Why a message stays unread though it was put out: from a stranger, or because that was asked for. */
export type StaysUnread = "request" | "kept";

/**
 * Messages that were put out and stay unread, so that the next `listen` does not put them out again. Ids
 * are random: this file says nothing about anybody.
 */
export interface Announced {
  why(messageId: string): StaysUnread | undefined;
  /** Durable once what was put out so far has left this process. */
  add(messageId: string, why: StaysUnread): void;
}

/** Begins with what is still unread: all else need not be remembered. */
export function openAnnounced(home: Home, unread: readonly string[]): Announced {
  const file = join(home.folder, "announced");
  const written = new Map<string, StaysUnread>();
  for (const line of (readText(file) ?? "").split("\n")) {
    const [messageId = "", why] = line.split(" ");
    if (why === "request" || why === "kept") written.set(messageId, why);
  }
  const known = new Map(
    unread.flatMap((id) => {
      const why = written.get(id);
      return why === undefined ? [] : [[id, why] as const];
    }),
  );
  writeFileSync(file, Array.from(known, lineOf).join(""));
  return {
    why: (messageId) => known.get(messageId),
    add: (messageId, why) => {
      known.set(messageId, why);
      void flushed().then(() => appendFileSync(file, lineOf([messageId, why])));
    },
  };
}

function lineOf([messageId, why]: readonly [string, StaysUnread]): string {
  return `${messageId} ${why}\n`;
}
