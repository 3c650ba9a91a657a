import { MessengerError } from "@parley/client";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { VirtualClock } from "../simulation/virtual-clock.ts";
import type { Person } from "./person.ts";
import type { Counters } from "./sometimes.ts";

export interface WorkloadParts {
  readonly person: Person;
  readonly people: readonly Person[];
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly counters: Counters;
  readonly actEveryMs: number;
  readonly writes: boolean;
  readonly lastWord: boolean;
  readonly isCalm: () => boolean;
  readonly failed: (cause: unknown) => void;
}

type Deed =
  | "send"
  | "reply"
  | "read"
  | "accept"
  | "list"
  | "burst"
  | "look up"
  | "type"
  | "come or go"
  | "watch"
  | "hide or show";

const DEEDS: Readonly<Record<Deed, number>> = {
  send: 6,
  reply: 2,
  read: 4,
  accept: 1,
  list: 0.5,
  burst: 0.5,
  "look up": 1,
  type: 2,
  "come or go": 0.5,
  watch: 0.5,
  "hide or show": 0.2,
};
const BURST_MAX = 8;
const TYPING = ["typing", "typing", "recording", "stopped"] as const;
const VISIBLE = ["everyone", "contacts", "contacts", "nobody"] as const;
/** A person who has nothing else to do looks at the screen so often. */
const LOOK_MS = 500;

/** What one person does: writes, replies, reads, takes in strangers; in the end reads all that comes. */
export class Workload {
  readonly #parts: WorkloadParts;

  constructor(parts: WorkloadParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { clock, random, actEveryMs, isCalm } = this.#parts;
    while (!isCalm()) {
      await clock.sleep(random.between(0.1, 1.9) * actEveryMs);
      // Not awaited: a program that is killed meanwhile never answers.
      if (!isCalm()) this.#do(this.#isLonely() ? "look up" : random.weighted(DEEDS));
    }
    const { writes, lastWord, person } = this.#parts;
    if (writes && (lastWord || !person.hasSent)) await this.#writeLast();
    for (;;) {
      await clock.sleep(LOOK_MS);
      this.#do("accept");
      this.#do("read");
    }
  }

  /** Who has nobody to write to looks for somebody. */
  #isLonely(): boolean {
    const { person, writes } = this.#parts;
    return writes && person.friends.size === 0;
  }

  #do(deed: Deed): void {
    const { person, failed } = this.#parts;
    const isStillWell = person.watchRun();
    this.#act(deed).catch((cause: unknown) => {
      // A program may refuse what it cannot do now, and a person then tries again.
      if (!(cause instanceof MessengerError) && isStillWell()) failed(cause);
    });
  }

  async #act(deed: Deed): Promise<void> {
    const { person, random, isCalm, writes } = this.#parts;
    const run = person.present;
    if (run === undefined) return;
    const { messenger } = run;
    const friends = writes ? [...person.friends.keys()] : [];
    switch (deed) {
      case "look up":
        return await this.#lookUp();
      case "send":
        if (friends.length > 0) await person.send(random.pick(friends));
        return;
      case "burst":
        if (friends.length > 0) await this.#burst(random.pick(friends));
        return;
      case "reply":
        return await this.#reply(friends);
      case "read": {
        const unread = await messenger.unread();
        await person.markRead(isCalm() ? unread : unread.filter(() => random.chance(0.7)));
        return;
      }
      case "accept":
        return await this.#accept();
      case "type":
        for (const { accountId } of await messenger.contacts())
          messenger.typing(accountId, random.pick(TYPING));
        return;
      case "come or go":
        return messenger.setActive(random.chance(0.7));
      case "watch":
        return await messenger.watchPresence(
          (await messenger.contacts()).map(({ accountId }) => accountId),
        );
      case "hide or show":
        return await messenger.setPresence({
          visible: random.pick(VISIBLE),
          lastSeen: random.chance(0.5),
        });
      case "list":
        for (const { accountId } of await messenger.contacts())
          await person.list(messenger, accountId);
        return;
    }
  }

  async #lookUp(): Promise<void> {
    const { person, people, random } = this.#parts;
    const strangers = people.filter((other) => other !== person && !person.friends.has(other.name));
    if (strangers.length === 0) return;
    const { name } = random.pick(strangers);
    const found = await person.present?.messenger.resolveHandle(name);
    if (found !== undefined) person.friends.set(name, found.accountId);
  }

  /** Several at once: the writer does not know their order, but both sides show the same one. */
  async #burst(to: string): Promise<void> {
    const { person, random } = this.#parts;
    const count = random.integer(2, BURST_MAX);
    await Promise.all(Array.from({ length: count }, () => person.send(to)));
  }

  async #reply(friends: readonly string[]): Promise<void> {
    const { person, random } = this.#parts;
    if (friends.length === 0) return;
    const to = random.pick(friends);
    const shown = await person.present?.messenger.history(person.friends.get(to) as string, {
      limit: 20,
    });
    if (shown !== undefined && shown.length > 0) await person.send(to, random.pick(shown));
  }

  async #accept(): Promise<void> {
    const messenger = this.#parts.person.present?.messenger;
    for (const { accountId, state } of (await messenger?.contacts()) ?? [])
      if (state === "request") {
        this.#parts.counters.count("a request from a stranger is accepted");
        await messenger?.acceptContact(accountId);
      }
  }

  /** One more in each conversation, and in one at least: it does not only end well, it goes on. */
  async #writeLast(): Promise<void> {
    const { person, clock } = this.#parts;
    while (person.friends.size === 0) {
      this.#do("look up");
      await clock.sleep(LOOK_MS);
    }
    while (person.present === undefined) await clock.sleep(LOOK_MS);
    for (const friend of person.friends.keys()) await person.send(friend);
  }
}
