import type { OpenSocket, Socket, SocketEvents } from "@parley/client";
import type { Transport } from "@parley/server";
import type { Life } from "./life.ts";
import { type Endpoint, Link, type Passed, type Side } from "./link.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What a network does to its frames. Changed while it runs: `heal` is only other numbers. */
export interface NetworkFaults {
  delayMsMax: number;
  /** The chance that a frame, on its way out or in, is the last of its connection. */
  cutPerFrame: number;
  refusedConnects: number;
  /** Of the cuts: how many does one side notice late. */
  halfOpen: number;
}

export const GENTLE: NetworkFaults = {
  delayMsMax: 20,
  cutPerFrame: 0,
  refusedConnects: 0,
  halfOpen: 0,
};

/** What listens: a server that is up. */
export type Accept = (transport: Transport) => { receive(frame: Uint8Array): void; closed(): void };

/** Sees every frame as it leaves one side and as it comes to the other. */
export interface Watch {
  opened(link: Link): void;
  sent(link: Link, by: Side, frame: Uint8Array): void;
  received(link: Link, by: Side, frame: Uint8Array): void;
  ended(link: Link, at: Side, code: number): void;
  refused(owner: string): void;
  cut(link: Link, underWayBytes: number): void;
}

/** Long enough for any close to be noticed by a ping. */
const UNNOTICED_MS_MAX = 60_000;
const NORMAL_NOTICE_MS_MAX = 1_000;
/** RFC 6455 section 7.4.1: no close frame came. */
const CLOSED_WITHOUT_WORD = 1006;

/**
 * Connections between clients and the one server. Frames on one connection stay in order and come whole, as
 * over TCP; so what a network can lose is a connection, with everything under way in both directions. A side
 * may notice that at once or late (half-open). Delays, cuts and refusals come from the seed.
 */
export class Network {
  readonly faults: NetworkFaults;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #watch: Watch;
  readonly #links = new Set<Link>();
  readonly #unreachable = new Set<string>();
  readonly #notReading = new Set<string>();
  readonly #steady = new Set<string>();
  #listener: { accept: Accept; life: Life } | undefined;
  #count = 0;

  constructor(
    { clock, random, watch }: { clock: VirtualClock; random: SeededRandom; watch: Watch },
    faults: NetworkFaults,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#watch = watch;
    this.faults = faults;
  }

  get openLinks(): number {
    return this.#links.size;
  }

  /** Until that life ends, or another listens. */
  listen(accept: Accept, life: Life): void {
    this.#listener = { accept, life };
    life.atEnd(() => {
      if (this.#listener?.life === life) this.#listener = undefined;
      for (const link of [...this.#links]) if (link.serverLife === life) this.#cut(link, "server");
    });
  }

  /** How one client program reaches the server. Its connections are cut when its life ends. */
  socketsOf(owner: string, life: Life): OpenSocket {
    return (_serverUrl, events) => {
      const socket = this.#connect(owner, life, events);
      life.atEnd(() => {
        for (const link of [...this.#links])
          if (link.clientLife === life) this.#cut(link, "client");
      });
      return socket;
    };
  }

  cutAll(owner?: string): void {
    for (const link of [...this.#links])
      if (owner === undefined || link.owner === owner) this.#cut(link);
  }

  /** Nobody hears from that owner's machine until `reachable` again. */
  setReachable(owner: string, reachable: boolean): void {
    if (reachable) this.#unreachable.delete(owner);
    else this.#unreachable.add(owner);
    if (!reachable) this.cutAll(owner);
  }

  /** No frame of that owner's is the last of its connection by chance: a flood would not last. */
  setSteady(owner: string): void {
    this.#steady.add(owner);
  }

  /** That owner's program is stuck: it takes nothing from its connections until `reading` again. */
  setReading(owner: string, reading: boolean): void {
    if (reading) this.#notReading.delete(owner);
    else this.#notReading.add(owner);
    for (const link of [...this.#links]) if (link.owner === owner) link.setReading(reading);
  }

  /** From now on gentle; what is half-open is noticed. */
  heal(): void {
    Object.assign(this.faults, GENTLE);
    this.#unreachable.clear();
    for (const owner of [...this.#notReading]) this.setReading(owner, true);
    for (const link of [...this.#links]) if (link.isCut) link.noticeBoth(CLOSED_WITHOUT_WORD);
  }

  #delayMs(): number {
    // Mostly short, sometimes as long as it gets: the square keeps the long ones rare.
    return 1 + this.#random.fraction() ** 2 * this.faults.delayMsMax;
  }

  #connect(owner: string, life: Life, events: SocketEvents): Socket {
    const link = new Link(
      { clock: this.#clock, delayMs: () => this.#delayMs(), passed: (l, e) => this.#passed(l, e) },
      { owner, clientLife: life, name: `${owner}#${++this.#count}` },
    );
    link.client = guarded(life, events);
    if (this.#notReading.has(owner)) link.setReading(false);
    this.#links.add(link);
    this.#clock.after(this.#delayMs(), () => this.#arrive(link, events));
    return link.clientSocket;
  }

  #arrive(link: Link, events: SocketEvents): void {
    const listener = this.#listener;
    const refused =
      listener === undefined ||
      this.#unreachable.has(link.owner) ||
      this.#random.chance(this.faults.refusedConnects);
    if (refused || link.clientEnded) {
      if (refused) this.#watch.refused(link.owner);
      this.#cut(link);
      return;
    }
    this.#watch.opened(link);
    link.serverLife = listener.life;
    // The client hears that it is connected before anything that the server says.
    link.toClient(() => {
      if (link.clientLife.alive && !link.clientEnded) events.opened();
    });
    const connection = listener.accept(link.transport);
    link.server = guarded(listener.life, {
      received: (frame) => connection.receive(frame),
      closed: () => connection.closed(),
    });
  }

  #passed(link: Link, event: Passed): void {
    if (event.what === "probe") {
      if (link.isCut) link.notice("server", CLOSED_WITHOUT_WORD, NORMAL_NOTICE_MS_MAX);
      return;
    }
    if (event.what === "ended") {
      this.#watch.ended(link, event.by, event.code);
      if (link.clientEnded && link.serverEnded) this.#links.delete(link);
      return;
    }
    this.#watch[event.what](link, event.by, event.frame);
    if (!this.#steady.has(link.owner) && this.#random.chance(this.faults.cutPerFrame))
      this.#cut(link);
  }

  /** Everything under way is lost. `dead`: that side is gone and notices nothing. */
  #cut(link: Link, dead?: Side): void {
    if (link.isCut) return;
    const late = this.#random.chance(this.faults.halfOpen)
      ? this.#random.pick(["client", "server"] as const)
      : undefined;
    this.#watch.cut(link, link.underWayBytes);
    link.cut();
    for (const side of ["client", "server"] as const) {
      const withinMs = side === late ? UNNOTICED_MS_MAX : NORMAL_NOTICE_MS_MAX;
      const waitMs = this.#random.fraction() * withinMs;
      if (side === dead) link.end(side, CLOSED_WITHOUT_WORD);
      else link.notice(side, CLOSED_WITHOUT_WORD, waitMs);
    }
  }
}

/** What comes to a program that was killed falls on the floor. */
function guarded(
  life: Life,
  { received, closed }: { received(frame: Uint8Array): void; closed(code: number): void },
): Endpoint {
  return {
    received: (frame) => {
      if (life.alive) received(frame);
    },
    closed: (code) => {
      if (life.alive) closed(code);
    },
  };
}
