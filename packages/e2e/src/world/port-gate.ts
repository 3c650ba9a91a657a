import { ErrorCode, ProtocolError } from "@parley/protocol";
import type { Ports } from "@parley/server";
import type { Life } from "../simulation/life.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { VirtualClock } from "../simulation/virtual-clock.ts";
import type { Counters } from "./sometimes.ts";

/** These answer without a promise: a server cannot be killed inside one and be waited for. */
const AT_ONCE = new Set(["mailboxes.open", "mailboxes.seen", "epochs.current", "bus.unsubscribe"]);
/** These refuse as STORAGE_UNAVAILABLE while the disk is full, as their ports say. */
const WRITES = new Set([
  "mailboxes.append",
  "accounts.create",
  "accounts.append",
  "accounts.setProfile",
  "prekeys.upload",
]);

export interface GateParts {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly counters: Counters;
  readonly wakeupsLost: () => number;
  readonly delayMsMax: () => number;
  /** Ends the server as `kill -9` does. */
  readonly kill: (why: string) => void;
}

/** Every call that one run of a server makes on its ports goes through here, and may be where it dies. */
export class PortGate {
  isFull = false;
  readonly #parts: GateParts;
  readonly #life: Life;
  #calls = 0;
  #deadly: { call: number; when: "before" | "after" } | undefined;

  constructor(parts: GateParts, life: Life) {
    this.#parts = parts;
    this.#life = life;
  }

  /** The call after that many others is the last one, or it is not even made. */
  killIn(calls: number, when: "before" | "after"): void {
    this.#deadly = { call: this.#calls + calls, when };
  }

  spare(): void {
    this.isFull = false;
    this.#deadly = undefined;
  }

  around(ports: Ports): Ports {
    const gated = Object.entries(ports).map(([name, port]) => [name, this.#gate(name, port)]);
    const { bus, ...others } = Object.fromEntries(gated) as Ports;
    return { ...others, bus: this.#losing(bus) };
  }

  #gate<T extends object>(name: string, port: T): T {
    return new Proxy(port, {
      get: (target, method) => {
        const value: unknown = Reflect.get(target, method, target);
        if (typeof value !== "function") return value;
        const run = (...values: unknown[]): unknown => value.apply(target, values);
        const path = `${name}.${String(method)}`;
        if (path === "mailboxes.open")
          return (...values: unknown[]) => this.#gate("reader", run(...values) as object);
        return AT_ONCE.has(path)
          ? run
          : (...values: unknown[]) => this.#call(path, () => run(...values));
      },
    });
  }

  async #call(path: string, run: () => unknown): Promise<unknown> {
    if (!this.#life.alive) return await this.#life.never();
    const deadly = this.#calls++ === this.#deadly?.call ? this.#deadly : undefined;
    if (deadly !== undefined) this.#deadly = undefined;
    if (deadly?.when === "before") return await this.#die(path, "before");
    if (this.isFull && WRITES.has(path)) {
      this.#parts.counters.count("a send is refused because the disk is full");
      throw new ProtocolError(ErrorCode.STORAGE_UNAVAILABLE, "the disk is full");
    }
    try {
      const value = await run();
      if (deadly !== undefined) return await this.#die(path, "after");
      return value;
    } finally {
      await this.#delay();
    }
  }

  async #die(path: string, when: "before" | "after"): Promise<unknown> {
    this.#parts.counters.count(`the server is killed within a port call, ${when} it`);
    this.#parts.kill(`${when} ${path}`);
    return await this.#life.never();
  }

  async #delay(): Promise<void> {
    const most = this.#parts.delayMsMax();
    if (most > 0) await this.#parts.clock.sleep(this.#parts.random.fraction() * most);
    if (!this.#life.alive) await this.#life.never();
  }

  #losing(bus: Ports["bus"]): Ports["bus"] {
    const { random, counters, wakeupsLost } = this.#parts;
    return {
      subscribe: (device, listener) => bus.subscribe(device, listener),
      unsubscribe: (device, listener) => bus.unsubscribe(device, listener),
      wake: async (device, wakeup) => {
        if (!random.chance(wakeupsLost())) return await bus.wake(device, wakeup);
        counters.count("a wake-up is lost");
        return random.chance(0.5);
      },
    };
  }
}
