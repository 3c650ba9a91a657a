import type { History } from "../checker/history.ts";
import type { Network } from "../simulation/network.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { VirtualClock } from "../simulation/virtual-clock.ts";
import type { Intruder } from "./intruder.ts";
import type { Person } from "./person.ts";
import type { Fault, Plan } from "./plan.ts";
import type { FolderCopy, ServerHost } from "./server-host.ts";
import type { Counters } from "./sometimes.ts";
import type { CommitFate } from "./watched-store.ts";

export interface NemesisParts {
  readonly plan: Plan;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly history: History;
  readonly counters: Counters;
  readonly server: ServerHost;
  readonly people: readonly Person[];
  readonly intruder: Intruder;
  /** Told before the copy goes back: what was accepted since goes with it. */
  readonly restoring: (copiedAtSeq: number) => void;
}

/** An hour, as the clocks of quality.md 3 row 7 jump. */
const JUMP_MS_MAX = 3_600_000;
/** quality.md 5: faults last 2 to 40 s. */
const FAULT_MS_MIN = 2_000;
const FAULT_MS_MAX = 40_000;
const RESTART_MS_MAX = 5_000;
/** A port call so many calls ahead is met within a few seconds of a busy world. */
const CALLS_AHEAD_MAX = 60;
const COMMITS_AHEAD_MAX = 12;
const WRITES_AHEAD_MAX = 20;
/** More than a device uploads at once. */
const PREKEYS_TAKEN = 400;

/** Breaks things, one after the other and on top of each other, as the plan and the seed have it. */
export class Nemesis {
  readonly #parts: NemesisParts;
  #copy: { folder: FolderCopy; seq: number } | undefined;
  #isOver = false;

  constructor(parts: NemesisParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { plan, clock, random } = this.#parts;
    const faults = plan.faults as Readonly<Record<Fault, number>>;
    if (Object.keys(faults).length === 0) return;
    if (faults["server restored from a copy"] !== undefined && random.chance(0.3)) this.#takeCopy();
    for (;;) {
      await clock.sleep(random.between(0.2, 1.8) * plan.faultEveryMs);
      if (this.#isOver) return;
      this.#breakOne(random.weighted(faults));
    }
  }

  /** Nothing is broken any more, and everything runs again. */
  async heal(): Promise<void> {
    const { network, server, people, intruder } = this.#parts;
    this.#isOver = true;
    intruder.end();
    network.heal();
    server.start();
    server.spare();
    for (const person of people) person.spare();
    await Promise.all(people.map((person) => person.open()));
  }

  #breakOne(fault: Fault): void {
    this.#faults[fault](this.#parts.random.pick(this.#parts.people));
  }

  readonly #faults: Readonly<Record<Fault, (person: Person) => void>> = {
    "server killed": () => {
      const { server, counters } = this.#parts;
      if (server.isUp) counters.count("the server is killed between two port calls");
      server.kill("between two port calls");
      this.#soon(() => server.start());
    },
    "server killed in a port call": () => {
      const { server, random } = this.#parts;
      server.killIn(random.integer(0, CALLS_AHEAD_MAX), random.pick(["before", "after"] as const));
      this.#restartOnceDown();
    },
    "server stopped": () => {
      const { server } = this.#parts;
      void server.stop().then(() => this.#soon(() => server.start()));
    },
    "server restored from a copy": () => this.#restore(),
    "disk full": () => {
      this.#parts.server.setFull(true);
      this.#later(() => this.#parts.server.setFull(false));
    },
    "client killed": (person) => {
      person.kill("between two commits");
      this.#soon(() => void person.open());
    },
    "client killed in a commit": (person) =>
      this.#spoilCommit(person, ["killed-before", "killed-after"]),
    "client's commit fails": (person) => this.#spoilCommit(person, ["fails-before", "fails-after"]),
    "client away": (person) => {
      void person.close();
      this.#later(() => void person.open());
    },
    "client unreachable": ({ name }) => {
      const { network, history } = this.#parts;
      history.add(name, { f: "fault", fault: "client unreachable", detail: "" });
      network.setReachable(name, false);
      this.#later(() => network.setReachable(name, true));
    },
    "connections cut": () => {
      this.#parts.history.add("server", { f: "fault", fault: "connections cut", detail: "all" });
      this.#parts.network.cutAll();
    },
    "clock jumps": () => this.#jump(),
    "prekeys run out": (person) => void this.#takePrekeys(person),
    "log disk full": () => {
      const { disk } = this.#parts.server;
      disk.isFull = true;
      this.#later(() => {
        disk.isFull = false;
      });
    },
    "log write fails": () => {
      const { server, random } = this.#parts;
      server.disk.writesToFailure = random.integer(0, WRITES_AHEAD_MAX);
      this.#restartOnceDown();
    },
    "log damaged": () => {
      const { server, random } = this.#parts;
      server.kill("to damage its log");
      server.damageLog(random);
      this.#soon(() => server.start());
    },
    "store damaged": () => {
      const { server, random } = this.#parts;
      server.kill("to damage its store");
      server.damageStore(random);
      this.#soon(() => server.start());
    },
    "client reads nothing": ({ name }) => {
      const { network, history } = this.#parts;
      history.add(name, { f: "fault", fault: "client reads nothing", detail: "" });
      network.setReading(name, false);
      this.#later(() => network.setReading(name, true));
    },
    // What it meets on the way is its own affair.
    flood: ({ name }) => void this.#parts.intruder.flood(name).catch(() => undefined),
  };

  #spoilCommit(person: Person, fates: readonly CommitFate[]): void {
    const { random } = this.#parts;
    person.killInCommit(random.integer(0, COMMITS_AHEAD_MAX), random.pick(fates));
  }

  #takeCopy(): void {
    const { history, server } = this.#parts;
    history.add("server", { f: "fault", fault: "copy taken", detail: "" });
    this.#copy = { folder: server.copy(), seq: history.events.length };
  }

  /** The copy is older than the fault: taken at the one before, or now for the next one. */
  #restore(): void {
    const { random, history, counters, server } = this.#parts;
    if (this.#copy === undefined || random.chance(0.3)) {
      this.#takeCopy();
      return;
    }
    history.add("server", { f: "fault", fault: "copy put back", detail: `of ${this.#copy.seq}` });
    counters.count("the server comes back with an old copy of its folder");
    this.#parts.restoring(this.#copy.seq);
    server.restore(this.#copy.folder);
    this.#soon(() => server.start());
  }

  #jump(): void {
    const { random, history, counters, server, people } = this.#parts;
    const skew = random.pick([server.skew, ...people.map((person) => person.skew)]);
    counters.count("a clock jumps");
    skew.offsetMs = Math.round(random.between(-JUMP_MS_MAX, JUMP_MS_MAX));
    history.add("server", { f: "fault", fault: "clock jumps", detail: String(skew.offsetMs) });
  }

  /** As many strangers would: each takes a one-time prekey, until none is left. */
  async #takePrekeys({ name, accountId }: Person): Promise<void> {
    const { history, server } = this.#parts;
    if (accountId === undefined) return;
    history.add("server", { f: "fault", fault: "prekeys run out", detail: name });
    for (let taken = 0; taken < PREKEYS_TAKEN; taken++) {
      const ports = server.ports;
      if (ports === undefined) return;
      const [claimed] = await ports.prekeys.claim([{ accountId, deviceId: 1 }], "one-time");
      if (claimed?.oneTime === undefined) return;
    }
  }

  #restartOnceDown(): void {
    const { server, clock, random } = this.#parts;
    const look = () => {
      if (this.#isOver) return;
      if (server.isUp) clock.after(random.between(100, 1000), look);
      else this.#soon(() => server.start());
    };
    look();
  }

  #later(run: () => void): void {
    const { clock, random } = this.#parts;
    clock.after(random.between(FAULT_MS_MIN, FAULT_MS_MAX), () => {
      if (!this.#isOver) run();
    });
  }

  #soon(run: () => void): void {
    const { clock, random } = this.#parts;
    clock.after(random.fraction() * RESTART_MS_MAX, () => {
      if (!this.#isOver) run();
    });
  }
}
