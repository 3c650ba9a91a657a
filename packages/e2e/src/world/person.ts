import {
  type ClientStore,
  type FlowWindow,
  type MessengerApi,
  MessengerError,
  type MessengerEvent,
  type OneTimeStock,
  type OpenSocket,
  type ShownMessage,
} from "@parley/client";
import { MemoryClientStore } from "@parley/client/memory";
import type { History, Listed, Seen } from "../checker/history.ts";
import { Life, LifeClock } from "../simulation/life.ts";
import type { Network } from "../simulation/network.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { VirtualClock } from "../simulation/virtual-clock.ts";
import { openMessenger } from "./open-messenger.ts";
import type { Counters } from "./sometimes.ts";
import { hashOf, keyOf, textOf } from "./text.ts";
import { type CommitFate, WatchedStore } from "./watched-store.ts";

export interface PersonParts {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly history: History;
  readonly counters: Counters;
  readonly nameOf: (accountId: string) => string;
  /** What such a one writes is no part of the history. */
  readonly isHostile: (name: string) => boolean;
  readonly commitDelayMsMax: () => number;
  readonly oneTimeStock?: OneTimeStock | undefined;
  readonly window?: FlowWindow | undefined;
  readonly plant?: ((store: ClientStore, life: Life) => ClientStore) | undefined;
  readonly failed: (cause: unknown) => void;
}

/** After such a pause somebody starts the program again. */
const RESTART_MS_MAX = 5_000;
const HISTORY_LIMIT = 100_000;

interface Run {
  readonly messenger: MessengerApi;
  readonly life: Life;
  readonly clock: LifeClock;
}

/** A person with one device: what the device keeps outlives every run of the program on it. */
export class Person {
  readonly name: string;
  readonly skew = { offsetMs: 0 };
  /** By name: whom this person has looked up. */
  readonly friends = new Map<string, string>();
  readonly #parts: PersonParts;
  #disk = new MemoryClientStore();
  #run: Run | undefined;
  #life: Life | undefined;
  #runs = 0;
  #ops = 0;
  #keys = 0;
  #commitsToLive: number | undefined;
  #fate: CommitFate = "fine";
  /** This run was told that a commit failed: whatever it does about that, it ends. */
  #isFailing = false;
  readonly #underWay = new Set<number>();

  constructor(parts: PersonParts) {
    this.#parts = parts;
    this.name = parts.name;
  }

  /** Undefined while the program does not run, or is not signed up. */
  get present(): Run | undefined {
    return this.#run?.messenger.account === undefined ? undefined : this.#run;
  }

  get hasSent(): boolean {
    return this.#ops > 0;
  }

  get isUp(): boolean {
    return this.#life?.alive === true;
  }

  accountId: string | undefined;

  /** The answer says whether the same run of the program goes on, and has no reason to fail. */
  watchRun(): () => boolean {
    const life = this.#life;
    return () => life?.alive === true && this.#life === life && !this.#isFailing;
  }

  /** Starts the program, and signs up where that was not done. */
  async open(): Promise<void> {
    if (this.isUp) return;
    const { clock, history, name, failed } = this.#parts;
    const life = new Life();
    this.#life = life;
    this.#isFailing = false;
    history.add(name, { f: "start", incarnation: ++this.#runs });
    const isStillWell = this.watchRun();
    try {
      const run = {
        life,
        clock: new LifeClock(clock, life, this.skew),
        messenger: await this.#messenger(life),
      };
      this.#run = run;
      run.messenger.on((event) => {
        if (life.alive) this.#hear(event);
      });
      if (run.messenger.account !== undefined) await this.#listAll(run.messenger);
      run.messenger.start();
      await this.#signUp(run);
    } catch (cause) {
      if (isStillWell()) failed(cause);
    }
  }

  async #messenger(life: Life): Promise<MessengerApi> {
    const { random, network, name, clock, commitDelayMsMax, history } = this.#parts;
    this.#disk = this.#disk.reopen();
    const delays = random.stream(`delays ${this.#runs}`);
    const watched = new WatchedStore(this.#disk, life, {
      who: name,
      history,
      fate: () => this.#nextFate(),
      delay: () => {
        const most = commitDelayMsMax();
        return most === 0 ? Promise.resolve() : clock.sleep(delays.fraction() * most);
      },
      kill: (fate) => this.#dieByFate(fate),
    });
    const bytes = random.stream(`bytes ${this.#runs}`);
    const isStillWell = this.watchRun();
    return await openMessenger({
      store: this.#parts.plant?.(watched, life) ?? watched,
      openSocket: network.socketsOf(name, life) as OpenSocket,
      clock: new LifeClock(clock, life, this.skew),
      random: (count) => bytes.bytes(count),
      oneTimeStock: this.#parts.oneTimeStock,
      window: this.#parts.window,
      onFatal: (cause) => {
        if (isStillWell()) this.#parts.failed(cause);
      },
    });
  }

  async #signUp({ messenger, clock }: Run): Promise<void> {
    while (messenger.account === undefined)
      try {
        await messenger.signUp({ handle: this.name });
      } catch (cause) {
        // Whatever came between, it may be asked again (api.ts).
        if (!(cause instanceof MessengerError)) throw cause;
        await new Promise<void>((resolve) => {
          clock.after(1000, resolve);
        });
      }
    this.accountId = messenger.account.accountId;
  }

  /** As `kill -9`. What it had under way may have been done or not. */
  kill(why: string): void {
    if (this.#life?.alive !== true) return;
    this.#parts.history.add(this.name, { f: "fault", fault: "client killed", detail: why });
    this.#end();
  }

  killInCommit(commits: number, fate: CommitFate): void {
    this.#commitsToLive = commits;
    this.#fate = fate;
  }

  spare(): void {
    this.#commitsToLive = undefined;
  }

  /** As somebody who ends the program. */
  async close(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    this.#parts.history.add(this.name, { f: "fault", fault: "client away", detail: "" });
    await run.messenger.close();
    if (run.life.alive) this.#end();
  }

  async send(to: string, replyTo?: ShownMessage): Promise<void> {
    const run = this.present;
    const conversation = this.friends.get(to);
    if (run === undefined || conversation === undefined) return;
    const { history, random, counters } = this.#parts;
    const op = this.#ops++;
    const key = `${this.name}-${++this.#keys}`;
    const text = textOf(key, random.stream(`text ${key}`));
    const parent = replyTo?.messageId;
    if (parent !== undefined) counters.count("a reply is sent");
    history.add(this.name, {
      ...{ f: "send", type: "invoke", op, to, key, hash: hashOf(text), replyTo: parent },
    });
    this.#underWay.add(op);
    const isStillWell = this.watchRun();
    try {
      const { messageId } = await run.messenger.sendText(
        conversation,
        text,
        parent === undefined ? {} : { replyTo: parent },
      );
      if (this.#underWay.delete(op))
        history.add(this.name, { f: "send", type: "ok", op, messageId });
    } catch (cause) {
      if (!this.#underWay.delete(op)) return;
      // What a failing disk did with it, the program does not know.
      const isRefusal = cause instanceof MessengerError && isStillWell();
      history.add(this.name, {
        ...{ f: "send", type: isRefusal ? "fail" : "info", op, cause: String(cause) },
      });
    }
  }

  async markRead(messages: readonly ShownMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const messageIds = messages.map(({ messageId }) => messageId);
    this.#parts.history.add(this.name, { f: "read", messageIds });
    await this.present?.messenger.markRead(messageIds);
  }

  async list(
    messenger: MessengerApi,
    accountId: string,
    final = false,
  ): Promise<readonly Listed[]> {
    const { history, nameOf, isHostile } = this.#parts;
    if (isHostile(nameOf(accountId))) return [];
    const asked = history.events.length;
    const shown = await messenger.history(accountId, { limit: HISTORY_LIMIT });
    const holes = await messenger.holes(accountId);
    const messages = shown.map((message) => ({ ...this.#seen(message), status: message.status }));
    history.add(this.name, {
      ...{ f: "list", with: nameOf(accountId), asked, messages, final },
      holes: holes.reduce((sum, { count }) => sum + count, 0),
    });
    return messages;
  }

  async #listAll(messenger: MessengerApi): Promise<void> {
    for (const { accountId } of await messenger.contacts()) await this.list(messenger, accountId);
  }

  #hear(event: MessengerEvent): void {
    const { counters, history, nameOf, isHostile } = this.#parts;
    if (event.type === "message" && isHostile(nameOf(event.message.conversation))) return;
    if (event.type === "message")
      history.add(this.name, {
        f: "show",
        with: nameOf(event.message.conversation),
        ...this.#seen(event.message),
      });
    else if (event.type === "status")
      history.add(this.name, { f: "status", messageId: event.messageId, status: event.status });
    else if (event.type === "typing" && event.state !== "stopped")
      counters.count("somebody is seen typing");
    else if (event.type === "presence" && event.online) counters.count("somebody is seen online");
    else if (event.type === "alarm")
      history.add(this.name, { f: "alarm", kind: event.kind, about: event.about });
    else if (event.type === "connection" && event.state.kind === "ended")
      history.add(this.name, { f: "alarm", kind: "ended", about: event.state.reason });
  }

  #seen({ messageId, from, content }: ShownMessage): Seen {
    const text = content.kind === "text" ? content.text : "(of an unknown kind)";
    return {
      messageId,
      key: keyOf(text),
      from: from.mine ? this.name : this.#parts.nameOf(from.accountId),
      hash: hashOf(text),
      replyTo: content.kind === "text" ? content.replyTo : undefined,
    };
  }

  #nextFate(): CommitFate {
    if (this.#commitsToLive === undefined || this.#commitsToLive-- > 0) return "fine";
    this.#commitsToLive = undefined;
    return this.#fate;
  }

  #dieByFate(fate: CommitFate): void {
    const { counters, clock } = this.#parts;
    if (fate === "killed-before") counters.count("a client is killed before its commit");
    else if (fate === "killed-after")
      counters.count("a client is killed after its commit, before the ack");
    else counters.count("a client's commit fails");
    if (fate === "killed-before" || fate === "killed-after") this.kill(`in a commit: ${fate}`);
    else {
      // A program that is told of a failed disk stops by itself: it hears of it first.
      this.#isFailing = true;
      const life = this.#life;
      clock.after(1, () => {
        if (this.#life === life) this.kill(`its commit ${fate}`);
      });
    }
    clock.after(this.#parts.random.fraction() * RESTART_MS_MAX, () => {
      void this.open();
    });
  }

  #end(): void {
    const { history, counters } = this.#parts;
    for (const op of this.#underWay) {
      counters.count("a device is killed while a send is not answered");
      history.add(this.name, { f: "send", type: "info", op, cause: "killed" });
    }
    this.#underWay.clear();
    this.#commitsToLive = undefined;
    this.#run = undefined;
    this.#life?.end();
  }
}
