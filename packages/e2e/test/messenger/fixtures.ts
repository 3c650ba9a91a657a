import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ClientStore,
  Messenger,
  type MessengerEvent,
  type OpenSocket,
  type ShownMessage,
  type Socket,
} from "@parley/client";
import { MemoryClientStore } from "@parley/client/memory";
import { nodeCrypto, systemClock, systemRandom } from "@parley/client/node";
import { type EmbeddedServer, openEmbedded, SETTINGS_DEFAULT } from "@parley/server";

export const SERVER_URL = "http://127.0.0.1:7420";

/** One server of the real kind in this process, and the lines to it. */
export class House {
  readonly folder = mkdtempSync(join(tmpdir(), "parley-messenger-"));
  readonly #lines = new Set<{ cut(): void }>();
  #server: EmbeddedServer | undefined;
  /** Frames that the server sends: return false and the line is cut in its place. */
  passDown: (frame: Uint8Array) => boolean = () => true;
  passUp: (frame: Uint8Array) => boolean = () => true;

  constructor() {
    this.startServer();
  }

  startServer(): void {
    this.#server = openEmbedded({
      dataFolder: this.folder,
      clock: systemClock,
      random: systemRandom,
      config: {
        origins: [SERVER_URL],
        store: { ...SETTINGS_DEFAULT.store, writer: "main" },
      },
    });
  }

  killServer(): void {
    this.cutAll();
    this.#server?.kill();
    this.#server = undefined;
  }

  cutAll(): void {
    for (const line of [...this.#lines]) line.cut();
  }

  readonly openSocket: OpenSocket = (_url, events) => {
    const server = this.#server;
    let open = true;
    const end = (code: number) => {
      if (!open) return;
      open = false;
      this.#lines.delete(line);
      accepted?.closed();
      setTimeout(() => events.closed(code), 0);
    };
    const line = { cut: () => end(1006) };
    this.#lines.add(line);
    const accepted = server?.accept({
      send: (frame) => {
        if (!open) return;
        if (!this.passDown(frame)) return end(1006);
        const copy = frame.slice();
        setTimeout(() => {
          if (open) events.received(copy);
        }, 0);
      },
      close: (code) => end(code),
      bufferedBytes: () => 0,
    });
    if (accepted === undefined) end(1006);
    else events.opened();
    const socket: Socket = {
      send: (frame) => {
        if (!open) return;
        if (!this.passUp(frame)) return end(1006);
        const copy = frame.slice();
        setTimeout(() => {
          if (open) accepted?.receive(copy);
        }, 0);
      },
      close: (code) => end(code),
    };
    return socket;
  };

  async close(): Promise<void> {
    await this.#server?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A person with one device, whose store outlives the program. */
export class Person {
  readonly house: House;
  readonly handle: string;
  store = new MemoryClientStore();
  readonly events: MessengerEvent[] = [];
  fatal: unknown;
  /** What a test puts between the program and the store. */
  storeOf: (store: MemoryClientStore) => ClientStore = (store) => store;
  #messenger: Messenger | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(house: House, handle: string) {
    this.house = house;
    this.handle = handle;
  }

  get messenger(): Messenger {
    if (this.#messenger === undefined) throw new Error(`${this.handle} is closed`);
    return this.#messenger;
  }

  get id(): string {
    return this.messenger.account?.accountId as string;
  }

  async open(): Promise<void> {
    this.store = this.store.reopen();
    this.#messenger = await Messenger.open({
      serverUrl: SERVER_URL,
      store: this.storeOf(this.store),
      openSocket: this.house.openSocket,
      crypto: nodeCrypto,
      clock: systemClock,
      random: systemRandom,
      onFatal: (cause) => {
        this.fatal = cause;
      },
    });
    this.messenger.on((event) => {
      this.events.push(event);
      for (const look of [...this.#watchers]) look();
    });
  }

  async join(): Promise<void> {
    await this.open();
    await this.messenger.signUp({ handle: this.handle });
    this.messenger.start();
    await this.messenger.caughtUp();
  }

  async close(): Promise<void> {
    await this.#messenger?.close();
    this.#messenger = undefined;
  }

  /** As `kill -9`: nothing that the old program still does reaches the disk or the server. */
  async restart(): Promise<void> {
    const old = this.#messenger;
    this.store = this.store.reopen();
    await old?.close().catch(() => {});
    await this.open();
    this.messenger.start();
  }

  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        Promise.resolve(holds())
          .then((yes) => {
            if (!yes) return;
            this.#watchers.delete(look);
            resolve();
          })
          .catch(reject);
      };
      this.#watchers.add(look);
      look();
    });
  }

  messagesHeard(): ShownMessage[] {
    return this.events.flatMap((event) => (event.type === "message" ? [event.message] : []));
  }

  async texts(other: string): Promise<string[]> {
    return (await this.messenger.history(other)).map(textOf);
  }
}

export function textOf({ content }: ShownMessage): string {
  return content.kind === "text" ? content.text : "(unknown)";
}
