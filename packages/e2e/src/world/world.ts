import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientStore } from "@parley/client";
import { History, type HistoryEvent } from "../checker/history.ts";
import type { Life } from "../simulation/life.ts";
import { GENTLE, Network } from "../simulation/network.ts";
import { SeededRandom } from "../simulation/seeded-random.ts";
import { Trace } from "../simulation/trace.ts";
import { VirtualClock } from "../simulation/virtual-clock.ts";
import { INTRUDER, Intruder } from "./intruder.ts";
import { Nemesis } from "./nemesis.ts";
import { Person } from "./person.ts";
import { type Plan, planOf } from "./plan.ts";
import { RestoreWatch } from "./restore-watch.ts";
import { type HostPlants, ServerHost } from "./server-host.ts";
import { Counters } from "./sometimes.ts";
import { WireWatch } from "./wire-watch.ts";
import { Workload } from "./workload.ts";

/** What a test of the checker breaks on purpose. */
export interface Plants extends HostPlants {
  readonly clientStore?: (store: ClientStore, life: Life) => ClientStore;
}

/** What a scenario plays with. */
export interface Stage {
  readonly clock: VirtualClock;
  readonly server: ServerHost;
  readonly people: readonly Person[];
}

export interface WorldOptions {
  readonly seed: string;
  /** Instead of the safety phase: nobody does anything and nothing breaks but what it says. */
  readonly scenario?: (stage: Stage) => Promise<void>;
  /** Instead of what the seed plans. */
  readonly plan?: Partial<Plan>;
  readonly plants?: (clock: VirtualClock) => Plants;
  /** Keeps every line of the trace, to find where two runs part. */
  readonly keepTrace?: boolean;
}

export interface WorldResult {
  readonly plan: Plan;
  readonly history: readonly HistoryEvent[];
  readonly traceHash: string;
  readonly traceLines: readonly string[] | undefined;
  readonly counters: Counters;
  /** Something threw where nothing may throw. */
  readonly failure: unknown;
  /** From the heal until everything had arrived; undefined: it never did. */
  readonly calmAfterMs: number | undefined;
}

/**
 * After the last heal. A wake-up that was lost just before it is made up for within a minute
 * (device-session.ts), rows leave a mailbox within half a minute more (group-commit.ts), and a client waits
 * up to half a minute between two tries to connect.
 */
export const CALM_MS_MAX = 180_000;
const LOOK_MS = 2_000;
/** In memory where there is such a place: an fsync there costs nothing, and a killed process loses nothing. */
const TEMPORARY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Runs one seed from sign-up to the last tick: first with faults, then healed until all has arrived. */
export async function runWorld(options: WorldOptions): Promise<WorldResult> {
  const folder = mkdtempSync(join(TEMPORARY, "parley-world-"));
  try {
    return await new World(options, folder).run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class World {
  readonly #plan: Plan;
  readonly #clock = new VirtualClock();
  readonly #trace: Trace;
  readonly #history: History;
  readonly #counters = new Counters();
  readonly #restores: RestoreWatch;
  readonly #people: readonly Person[];
  readonly #server: ServerHost;
  readonly #intruder: Intruder;
  readonly #nemesis: Nemesis;
  readonly #network: Network;
  readonly #random: SeededRandom;
  readonly #scenario: WorldOptions["scenario"];
  #isCalm = false;
  #failure: unknown;

  constructor(options: WorldOptions, folder: string) {
    const random = new SeededRandom(`world ${options.seed}`);
    this.#random = random;
    this.#scenario = options.scenario;
    this.#plan = { ...planOf(random.stream("plan")), ...options.plan };
    this.#trace = new Trace(this.#clock, options.keepTrace);
    this.#restores = new RestoreWatch(this.#counters);
    this.#history = new History(
      () => this.#clock.time,
      (event) => {
        this.#trace.note(JSON.stringify(event));
        this.#restores.see(event);
      },
    );
    const clock = this.#clock;
    const shared = {
      ...{ clock, history: this.#history, counters: this.#counters },
      nameOf: (accountId: string) => this.#nameOf(accountId),
      isHostile: (name: string) => name === INTRUDER,
      failed: (cause: unknown) => {
        this.#failure ??= cause;
      },
    };
    const watch = new WireWatch({
      ...{ ...shared, trace: this.#trace, windowEnvelopes: this.#plan.window?.envelopes },
    });
    const network = new Network({ clock, random: random.stream("network"), watch }, { ...GENTLE });
    this.#network = network;
    const plants = options.plants?.(clock);
    this.#server = new ServerHost({
      ...{ ...shared, folder: join(folder, "server"), random: random.stream("server"), network },
      wakeupsLost: () => (this.#isCalm ? 0 : this.#plan.wakeupsLost),
      delayMsMax: () => (this.#isCalm ? 0 : this.#plan.portDelayMsMax),
      diskDelayMsMax: () => (this.#isCalm ? 0 : this.#plan.diskDelayMsMax),
      bufferedBytesMax: this.#plan.bufferedBytesMax,
      plants,
    });
    this.#intruder = new Intruder({
      ...{ ...shared, network, random: random.stream("intruder") },
      isNarrow: this.#plan.window !== undefined,
    });
    this.#people = this.#plan.people.map(
      (name) =>
        new Person({
          ...{ ...shared, name, network, random: random.stream(`person ${name}`) },
          commitDelayMsMax: () => this.#plan.commitDelayMsMax,
          ...{ oneTimeStock: this.#plan.oneTimeStock, window: this.#plan.window },
          plant: plants?.clientStore,
        }),
    );
    this.#nemesis = new Nemesis({
      ...{ ...shared, plan: this.#plan, random: random.stream("nemesis"), network },
      ...{ server: this.#server, people: this.#people, intruder: this.#intruder },
      restoring: (seq) => this.#restores.restoring(seq),
    });
  }

  async run(): Promise<WorldResult> {
    this.#server.start();
    if (this.#scenario === undefined) this.#live();
    for (const person of this.#people) void person.open();
    await (this.#scenario === undefined ? this.#safetyPhase() : this.#play(this.#scenario));
    const healedAt = this.#clock.time;
    this.#history.add("server", { f: "fault", fault: "healed", detail: "" });
    this.#isCalm = true;
    if (this.#scenario !== undefined) this.#live();
    void this.#nemesis.heal();
    const calmAfterMs = await this.#untilCalm(healedAt);
    if (this.#failure === undefined) await this.#lookForTheLastTime();
    for (const person of this.#people) person.kill("the world ends");
    this.#server.kill("the world ends");
    return {
      ...{ plan: this.#plan, history: this.#history.events, traceHash: this.#trace.digest() },
      ...{ traceLines: this.#trace.lines, counters: this.#counters, calmAfterMs },
      failure: this.#failure,
    };
  }

  #live(): void {
    for (const person of this.#people) void this.#workload(person, this.#random).run();
  }

  async #safetyPhase(): Promise<void> {
    const { preludeMs, safetyMs, network } = this.#plan;
    const isOver = () => this.#failure !== undefined;
    await this.#clock.runUntil(isOver, preludeMs);
    Object.assign(this.#network.faults, network);
    void this.#nemesis.run();
    await this.#clock.runUntil(isOver, preludeMs + safetyMs);
  }

  async #play(scenario: NonNullable<WorldOptions["scenario"]>): Promise<void> {
    let isDone = false;
    scenario({ clock: this.#clock, server: this.#server, people: this.#people }).then(
      () => {
        isDone = true;
      },
      (cause: unknown) => {
        this.#failure ??= cause;
      },
    );
    const isOver = () => isDone || this.#failure !== undefined;
    if (!(await this.#clock.runUntil(isOver, this.#clock.time + this.#plan.safetyMs)))
      this.#failure ??= new Error("the scenario does not end");
  }

  async #untilCalm(healedAt: number): Promise<number | undefined> {
    const deadline = healedAt + CALM_MS_MAX;
    while (this.#failure === undefined && this.#clock.time < deadline) {
      await this.#clock.runUntil(() => this.#failure !== undefined, this.#clock.time + LOOK_MS);
      if (this.#failure === undefined && (await this.#hasArrived()))
        return this.#clock.time - healedAt;
    }
    return undefined;
  }

  /** Everybody has looked up whom they write to, all is read, and no mailbox holds anything. */
  async #hasArrived(): Promise<boolean> {
    const answer = { done: false, value: false };
    this.#allArrived().then(
      (value) => Object.assign(answer, { done: true, value }),
      (cause: unknown) => {
        this.#failure ??= cause;
      },
    );
    const isOver = () => answer.done || this.#failure !== undefined;
    await this.#clock.runUntil(isOver, this.#clock.time + LOOK_MS);
    return answer.value;
  }

  async #allArrived(): Promise<boolean> {
    for (const person of this.#people) {
      const messenger = person.present?.messenger;
      if (messenger === undefined || messenger.connectionState.kind !== "online") return false;
      for (const { accountId, unread } of await messenger.contacts()) {
        if (unread > 0) return false;
        const shown = await messenger.history(accountId, { limit: 100_000 });
        if (shown.some(({ status }) => status !== undefined && !isSettled(status))) return false;
      }
    }
    for (const count of (await this.#waiting()).values()) if (count > 0) return false;
    return true;
  }

  async #waiting(): Promise<Map<string, number>> {
    const waiting = new Map<string, number>();
    for (const { name, accountId } of this.#people) {
      if (accountId === undefined) continue;
      const reader = this.#server.ports?.mailboxes.open({ accountId, deviceId: 1 });
      const rows = (await reader?.next(10_000)) ?? [];
      waiting.set(name, rows.length);
    }
    return waiting;
  }

  async #lookForTheLastTime(): Promise<void> {
    let isDone = false;
    const look = async () => {
      for (const person of this.#people) {
        const messenger = person.present?.messenger;
        if (messenger === undefined) throw new Error(`${person.name} is not there in the end`);
        for (const { accountId } of await messenger.contacts())
          await person.list(messenger, accountId, true);
      }
      for (const [mailbox, envelopes] of await this.#waiting())
        this.#history.add("server", { f: "waiting", mailbox, envelopes });
      isDone = true;
    };
    look().catch((cause: unknown) => {
      this.#failure ??= cause;
    });
    const isOver = () => isDone || this.#failure !== undefined;
    if (!(await this.#clock.runUntil(isOver, this.#clock.time + LOOK_MS)))
      this.#failure ??= new Error("a program does not answer in the end");
  }

  #workload(person: Person, random: SeededRandom): Workload {
    return new Workload({
      ...{ person, people: this.#people, clock: this.#clock, counters: this.#counters },
      random: random.stream(`workload ${person.name}`),
      ...{ actEveryMs: this.#plan.actEveryMs, lastWord: this.#plan.lastWord },
      writes: this.#plan.writers.includes(person.name),
      isCalm: () => this.#isCalm,
      failed: (cause) => {
        this.#failure ??= cause;
      },
    });
  }

  #nameOf(accountId: string): string {
    if (accountId === this.#intruder.accountId) return INTRUDER;
    return this.#people.find((person) => person.accountId === accountId)?.name ?? accountId;
  }
}

function isSettled(status: string): boolean {
  return status === "read" || status === "failed";
}
