import type { Happening, HistoryEvent, Listed } from "../../src/checker/history.ts";
import { History } from "../../src/checker/history.ts";

/** Writes a history by hand. Message ids are `id-` + key, hashes `hash-` + key, where nothing else is said. */
export class Hand {
  readonly #history = new History(() => 0);
  readonly #ops = new Map<string, number>();
  readonly #threads = new Map<string, Listed[]>();
  #op = 0;

  get events(): readonly HistoryEvent[] {
    return this.#history.events;
  }

  add(who: string, happening: Happening): this {
    this.#history.add(who, happening);
    return this;
  }

  invoke(from: string, to: string, key: string, replyTo?: string): this {
    const op = this.#op++;
    this.#ops.set(key, op);
    const parent = replyTo === undefined ? undefined : `id-${replyTo}`;
    const hash = `hash-${key}`;
    return this.add(from, { f: "send", type: "invoke", op, to, key, hash, replyTo: parent });
  }

  saved(from: string, key: string): this {
    return this.add(from, {
      ...{ f: "send", type: "ok", op: this.#ops.get(key) as number, messageId: `id-${key}` },
    } as Happening);
  }

  ended(from: string, key: string, type: "fail" | "info"): this {
    return this.add(from, { f: "send", type, op: this.#ops.get(key) as number, cause: "by hand" });
  }

  status(who: string, key: string, status: "sent" | "delivered" | "read"): this {
    return this.add(who, { f: "status", messageId: `id-${key}`, status });
  }

  show(who: string, from: string, key: string, other: Partial<Listed> = {}): this {
    return this.add(who, { f: "show", with: from, ...seen(from, key, other) });
  }

  read(who: string, key: string): this {
    return this.add(who, { f: "read", messageIds: [`id-${key}`] });
  }

  /** A line of what `list` shows of that conversation from now on. */
  line(
    who: string,
    other: string,
    [from, key]: readonly [string, string],
    more: Partial<Listed> = {},
  ): this {
    const name = `${who}/${other}`;
    const lines = this.#threads.get(name) ?? [];
    this.#threads.set(name, lines);
    lines.push({ status: from === who ? "read" : undefined, ...seen(from, key, more), ...more });
    return this;
  }

  list(who: string, other: string, { holes = 0, final = true } = {}): this {
    return this.add(who, {
      ...{ f: "list", with: other, asked: this.events.length, holes, final },
      messages: [...(this.#threads.get(`${who}/${other}`) ?? [])],
    } as Happening);
  }

  /** Sent, accepted, shown, read, as it should be. */
  whole(from: string, to: string, key: string): this {
    this.invoke(from, to, key).saved(from, key).status(from, key, "sent").show(to, from, key);
    this.status(from, key, "delivered").read(to, key).status(from, key, "read");
    return this.line(from, to, [from, key]).line(to, from, [from, key]);
  }

  done(a = "alice", b = "bob"): readonly HistoryEvent[] {
    return this.list(a, b).list(b, a).events;
  }
}

function seen(from: string, key: string, more: Partial<Listed>) {
  return { from, key, messageId: `id-${key}`, hash: `hash-${key}`, replyTo: undefined, ...more };
}
