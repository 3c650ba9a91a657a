import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Home, readText } from "./home.ts";

/**
 * Ids of messages that were put out and stay unread (from strangers, or on request), so that the next
 * `listen` does not put them out again. Ids are random: this file says nothing about anybody.
 */
export interface Announced {
  has(messageId: string): boolean;
  add(messageId: string): void;
}

/** Begins with what is still unread: all else need not be remembered. */
export function openAnnounced(home: Home, unread: readonly string[]): Announced {
  const file = join(home.folder, "announced");
  const written = new Set((readText(file) ?? "").split("\n"));
  const known = new Set(unread.filter((id) => written.has(id)));
  writeFileSync(file, [...known, ""].join("\n"));
  return {
    has: (messageId) => known.has(messageId),
    add: (messageId) => {
      known.add(messageId);
      appendFileSync(file, `${messageId}\n`);
    },
  };
}
