import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Messenger, type MessengerEvent, type OpenSocket } from "@parley/client";
import { MemoryClientStore } from "@parley/client/memory";
import { nodeCrypto, systemRandom } from "@parley/client/node";
import { type ClientFrame, decodeClientFrame } from "@parley/protocol";
import { type EmbeddedServer, openEmbedded, type ServerSettings } from "@parley/server";
import { expect, onTestFinished } from "vitest";
import { Life, LifeClock } from "../../src/simulation/life.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { promptLogDisk } from "../../src/world/log-disk.ts";

export const SERVER_URL = "http://127.0.0.1:7420";
/** What does not happen within it does not happen. */
const PATIENCE_MS = 60_000;
/** The least that takes the longest frame. */
const LOG_FILE_BYTES = 2 * 1024 * 1024;
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

type Request = Extract<ClientFrame["request"], { value: object }>;
type ValueOf<C extends Request["case"]> = Extract<Request, { case: C }>["value"];
type Event<T extends MessengerEvent["type"]> = Extract<MessengerEvent, { type: T }>;

/** A real server and real clients over lines that lose nothing, in a time that passes when the test says so. */
export class Town {
  readonly #time = new VirtualClock();
  readonly #folder = mkdtempSync(join(PLACE, "parley-town-"));
  readonly clock = new LifeClock(this.#time, new Life(), { offsetMs: 0 });
  readonly people: Citizen[] = [];
  readonly #config: Partial<ServerSettings>;
  #server: EmbeddedServer | undefined;

  constructor(config: Partial<ServerSettings> = {}) {
    this.#config = config;
    this.startServer();
    onTestFinished(async () => {
      for (const { messenger, fatal } of this.people) {
        await this.run(messenger.close());
        expect(fatal).toBe(undefined);
      }
      this.killServer();
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  get server(): EmbeddedServer | undefined {
    return this.#server;
  }

  get nowMs(): number {
    return this.clock.now();
  }

  startServer(): void {
    this.#server = openEmbedded({
      dataFolder: this.#folder,
      clock: this.clock,
      random: systemRandom,
      config: {
        origins: [SERVER_URL],
        store: { writer: "main", logFileBytes: LOG_FILE_BYTES },
        ...this.#config,
      },
      logDisk: promptLogDisk,
    });
  }

  /** As `kill -9`: the lines end with it. */
  killServer(): void {
    for (const person of this.people) person.cut();
    this.#server?.kill();
    this.#server = undefined;
  }

  /** Somebody who has signed up and is connected. */
  async citizen(handle: string): Promise<Citizen> {
    const citizen = new Citizen(this, handle);
    this.people.push(citizen);
    await citizen.open();
    await this.run(citizen.messenger.signUp({ handle }));
    await citizen.start();
    return citizen;
  }

  /** Two who have written to each other, so that each holds the other's keys. */
  async friends(): Promise<[Citizen, Citizen]> {
    const [alice, bob] = [await this.citizen("alice"), await this.citizen("bob")];
    await alice.says(bob, "hello");
    await bob.says(alice, "hello yourself");
    await this.pass(5_000);
    return [alice, bob];
  }

  pass(ms: number): Promise<boolean> {
    return this.#time.runUntil(() => false, this.#time.time + ms);
  }

  async until(holds: () => boolean): Promise<void> {
    expect(await this.#time.runUntil(holds, this.#time.time + PATIENCE_MS)).toBe(true);
  }

  /** Time passes while the work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = () => {
      isDone = true;
    };
    work.then(end, end);
    await this.#time.runUntil(() => isDone, this.#time.time + PATIENCE_MS);
    expect(isDone).toBe(true);
    return await work;
  }
}

/** A person with one device. */
export class Citizen {
  readonly handle: string;
  readonly events: MessengerEvent[] = [];
  /** Everything that this device said to the server. */
  readonly said: ClientFrame[] = [];
  store = new MemoryClientStore();
  fatal: unknown;
  /** What becomes of a frame on its way down. */
  down: (frame: Uint8Array) => readonly Uint8Array[] = (frame) => [frame];
  readonly #town: Town;
  readonly #lines = new Set<() => void>();
  #messenger: Messenger | undefined;

  constructor(town: Town, handle: string) {
    this.#town = town;
    this.handle = handle;
  }

  get messenger(): Messenger {
    return this.#messenger as Messenger;
  }

  get id(): string {
    return this.messenger.account?.accountId as string;
  }

  async open(): Promise<void> {
    this.store = this.store.reopen();
    this.#messenger = await Messenger.open({
      ...{ serverUrl: SERVER_URL, store: this.store, openSocket: this.#openSocket },
      ...{ crypto: nodeCrypto, clock: this.#town.clock, random: systemRandom },
      onFatal: (cause) => {
        this.fatal = cause;
      },
    });
    this.messenger.on((event) => this.events.push(event));
  }

  async start(): Promise<void> {
    this.messenger.start();
    await this.#town.run(this.messenger.caughtUp());
  }

  async restart(): Promise<void> {
    await this.#town.run(this.messenger.close());
    await this.open();
    await this.start();
  }

  cut(): void {
    for (const line of [...this.#lines]) line();
  }

  /** Resolves once it has arrived. */
  async says(to: Citizen, text: string): Promise<void> {
    const { messageId } = await this.messenger.sendText(to.id, text);
    const isIt = (event: MessengerEvent) =>
      event.type === "message" && event.message.messageId === messageId;
    await this.#town.until(() => to.events.some(isIt));
  }

  heard<T extends MessengerEvent["type"]>(type: T): Event<T>[] {
    return this.events.filter((event): event is Event<T> => event.type === type);
  }

  /** What it said under that name. */
  sent<C extends Request["case"]>(name: C): ValueOf<C>[] {
    return this.said.flatMap(({ request }) =>
      request.case === name ? [request.value as ValueOf<C>] : [],
    );
  }

  readonly #openSocket: OpenSocket = (_url, events) => {
    const { clock, server } = this.#town;
    const soon = (run: () => void) => void clock.after(0, run);
    let isOpen = true;
    const end = (code = 1006) => {
      if (!isOpen) return;
      isOpen = false;
      this.#lines.delete(end);
      accepted?.closed();
      soon(() => events.closed(code));
    };
    this.#lines.add(end);
    const accepted = server?.accept({
      send: (frame) => {
        for (const each of this.down(frame.slice()))
          soon(() => {
            if (isOpen) events.received(each);
          });
      },
      close: end,
      bufferedBytes: () => 0,
    });
    if (accepted === undefined) soon(end);
    return {
      send: (frame) => {
        const copy = frame.slice();
        this.said.push(decodeClientFrame(copy));
        soon(() => {
          if (isOpen) accepted?.receive(copy);
        });
      },
      close: end,
    };
  };
}
