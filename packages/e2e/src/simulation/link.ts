import type { Socket } from "@parley/client";
import type { Transport } from "@parley/server";
import type { Life } from "./life.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface Endpoint {
  received(frame: Uint8Array): void;
  closed(code: number): void;
}

export type Side = "client" | "server";

export type Passed =
  | { readonly what: "sent" | "received"; readonly by: Side; readonly frame: Uint8Array }
  | { readonly what: "ended"; readonly by: Side; readonly code: number }
  | { readonly what: "probe" };

interface Wire {
  readonly clock: VirtualClock;
  delayMs(): number;
  passed(link: Link, event: Passed): void;
}

/** One direction. What is put in comes out in order, each after a delay of its own. */
class Lane {
  readonly #wire: Wire;
  #lastArrival = 0;
  #underWay = 0;
  #broken = false;
  /** Undefined: the other side takes what comes. */
  #held: (() => void)[] | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  get underWayBytes(): number {
    return this.#underWay;
  }

  put(byteCount: number, arrive: () => void): void {
    this.#underWay += byteCount;
    if (this.#broken) return; // Nobody takes it: it stays in the sender's buffer.
    const { clock } = this.#wire;
    this.#lastArrival = Math.max(this.#lastArrival, clock.time + this.#wire.delayMs());
    const take = () => {
      if (this.#broken) return;
      this.#underWay -= byteCount;
      arrive();
    };
    clock.after(this.#lastArrival - clock.time, () => {
      if (this.#held === undefined) take();
      else this.#held.push(take);
    });
  }

  /** The other side reads nothing, until it is released. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const take of held) take();
  }

  break(): void {
    this.#broken = true;
  }
}

/** One connection, with what is under way on it. */
export class Link {
  readonly owner: string;
  readonly name: string;
  readonly clientLife: Life;
  serverLife: Life | undefined;
  client: Endpoint | undefined;
  server: Endpoint | undefined;
  isCut = false;
  clientEnded = false;
  serverEnded = false;
  readonly clientSocket: Socket;
  readonly transport: Transport;
  readonly #wire: Wire;
  readonly #up: Lane;
  readonly #down: Lane;
  #clientClosing = false;
  #serverClosing = false;

  constructor(wire: Wire, whose: { owner: string; name: string; clientLife: Life }) {
    this.#wire = wire;
    this.owner = whose.owner;
    this.name = whose.name;
    this.clientLife = whose.clientLife;
    this.#up = new Lane(wire);
    this.#down = new Lane(wire);
    this.clientSocket = {
      send: (frame) => {
        if (this.clientLife.alive && !this.#clientClosing && !this.clientEnded)
          this.#send("client", frame);
      },
      close: (code) => {
        if (!this.clientLife.alive || this.#clientClosing) return;
        this.#clientClosing = true;
        this.#up.put(0, () => this.end("server", code));
        this.notice("client", code, 0);
      },
    };
    this.transport = {
      send: (frame) => {
        if (this.serverLife?.alive === true && !this.#serverClosing && !this.serverEnded)
          this.#send("server", frame);
      },
      close: (code) => {
        if (this.serverLife?.alive !== true || this.#serverClosing) return;
        this.#serverClosing = true;
        this.#down.put(0, () => this.end("client", code));
        this.notice("server", code, 0);
      },
      bufferedBytes: () => this.#down.underWayBytes,
      probe: () => wire.passed(this, { what: "probe" }),
    };
  }

  get underWayBytes(): number {
    return this.#up.underWayBytes + this.#down.underWayBytes;
  }

  toClient(arrive: () => void): void {
    this.#down.put(0, arrive);
  }

  /** Whether the client's program takes what comes. */
  setReading(reading: boolean): void {
    if (reading) this.#down.release();
    else this.#down.hold();
  }

  cut(): void {
    this.isCut = true;
    this.#up.break();
    this.#down.break();
  }

  notice(side: Side, code: number, waitMs: number): void {
    this.#wire.clock.after(waitMs, () => this.end(side, code));
  }

  noticeBoth(code: number): void {
    this.notice("client", code, 0);
    this.notice("server", code, 0);
  }

  end(side: Side, code: number): void {
    if (side === "client") {
      if (this.clientEnded) return;
      this.clientEnded = true;
      this.#wire.passed(this, { what: "ended", by: side, code });
      this.client?.closed(code);
    } else {
      if (this.serverEnded) return;
      this.serverEnded = true;
      this.#wire.passed(this, { what: "ended", by: side, code });
      this.server?.closed(code);
    }
  }

  #send(by: Side, frame: Uint8Array): void {
    const copy = frame.slice();
    const to: Side = by === "client" ? "server" : "client";
    (by === "client" ? this.#up : this.#down).put(copy.length, () => {
      const ended = to === "client" ? this.clientEnded : this.serverEnded;
      if (ended) return;
      this.#wire.passed(this, { what: "received", by: to, frame: copy });
      (to === "client" ? this.client : this.server)?.received(copy);
    });
    this.#wire.passed(this, { what: "sent", by, frame: copy });
  }
}
