import { setTimeout as pause } from "node:timers/promises";
import { type Envelope, toHex } from "@parley/protocol";
import { expect } from "vitest";
import { randomBytes } from "../fixtures/keys.ts";
import { type FileSystem, LOOP_DISKS, LoopDisk } from "../fixtures/loop-disk.ts";
import { testWith } from "../fixtures/needs.ts";
import { Person } from "../fixtures/person.ts";
import {
  connectTo,
  LIMITS_RAISED,
  orLost,
  type ServerProcess,
  startServer,
} from "../fixtures/server-process.ts";
import { textOf } from "../fixtures/wire-client.ts";

/** quality.md 3, row 2: thirty, on both file systems together; 500 in a long run. */
const CUTS = Number(process.env["PARLEY_CUTS"] ?? "30") / 2;
const LIFE_MS = [50, 600] as const;
const SPEAKERS = 3;
const UNDER_WAY = 8;
const TEXT_BYTES_MAX = 20_000;
/** Files of the mail log are full several times: what waits is moved into the store between the cuts, or in one. */
const ARGS = [...LIMITS_RAISED, "--limits.sign_ups_per_address_per_hour", "1000000"];
const SMALL_LOG = ["--store.log_file_bytes", String(2 * 1024 * 1024)];

interface Said {
  readonly to: Person;
  readonly id: Uint8Array;
  readonly text: string;
  isAccepted: boolean;
}

/** Says one thing after the other, with several under way, and what was not accepted again with the same bytes. */
class Speaker {
  readonly person: Person;
  readonly said: Said[] = [];
  readonly #readers: readonly Person[];

  constructor(name: string, readers: readonly Person[]) {
    this.person = new Person(name);
    this.#readers = readers;
  }

  async speak(origin: string): Promise<void> {
    const client = await connectTo(origin);
    await orLost(client, client.hello(this.person));
    const underWay = new Set<Promise<void>>();
    const again = this.said.filter(({ isAccepted }) => !isAccepted);
    for (;;) {
      const said = again.shift() ?? this.#next();
      const sending: Promise<void> = orLost(client, client.send(this.person, said.to, said))
        .then(({ outcome }) => {
          expect(outcome.case).toBe("accepted");
          said.isAccepted = true;
        })
        .finally(() => underWay.delete(sending));
      sending.catch(() => undefined);
      underWay.add(sending);
      if (underWay.size >= UNDER_WAY) await Promise.race(underWay);
    }
  }

  #next(): Said {
    const number = this.said.length;
    const filling = "x".repeat(Math.floor(Math.random() ** 4 * TEXT_BYTES_MAX));
    const text = `${this.person.handle} ${number} ${filling}`;
    const to = this.#readers[number % this.#readers.length] as Person;
    const said = { to, id: randomBytes(16), text, isAccepted: false };
    this.said.push(said);
    return said;
  }
}

/** Has what came to its mailbox, in the order in which it came first. */
class Reader {
  readonly person: Person;
  readonly #texts = new Map<string, string>();

  constructor(name: string) {
    this.person = new Person(name);
  }

  get order(): readonly string[] {
    return [...this.#texts.values()];
  }

  /** All that waits; then, where it stays, what comes until the connection is lost. */
  async read(origin: string, stays: boolean): Promise<void> {
    const client = await connectTo(origin);
    client.acksByItself = true;
    await client.hello(this.person);
    await client.drain();
    // Later an envelope may come again: it was acknowledged, and its sender had not heard that it was accepted.
    expect(new Set(client.delivered.map(({ id }) => toHex(id))).size).toBe(client.delivered.length);
    this.#take(client.delivered);
    if (!stays) client.wire?.close();
    else void client.closed.then(() => this.#take(client.delivered));
  }

  #take(delivered: readonly Envelope[]): void {
    for (const envelope of delivered) {
      const id = toHex(envelope.id);
      const text = textOf(envelope);
      expect(this.#texts.get(id) ?? text).toBe(text);
      this.#texts.set(id, text);
    }
  }
}

class World {
  readonly disk: LoopDisk;
  /** One is connected and acknowledges what comes; one comes after every third cut. */
  readonly readers = [new Reader("live"), new Reader("away")] as const;
  readonly speakers: readonly Speaker[];
  readonly #signedUp: Person[] = [];
  #server: ServerProcess | undefined;
  #newcomers = 0;

  constructor(fileSystem: FileSystem) {
    this.disk = new LoopDisk(fileSystem);
    const people = this.readers.map(({ person }) => person);
    this.speakers = Array.from({ length: SPEAKERS }, (_, i) => new Speaker(`speaker${i}`, people));
  }

  get accepted(): readonly Said[] {
    return this.speakers.flatMap(({ said }) => said.filter(({ isAccepted }) => isAccepted));
  }

  async start(): Promise<ServerProcess> {
    const dataFolder = `${this.disk.folder}/data`;
    this.#server = await startServer({ dataFolder, args: [...ARGS, ...SMALL_LOG] });
    return this.#server;
  }

  async signUpAll(): Promise<void> {
    const { origin } = await this.start();
    for (const { person } of [...this.readers, ...this.speakers]) {
      const client = await connectTo(origin);
      await client.signUp(person);
      client.wire?.close();
    }
  }

  /** Everybody is busy until the power is cut; then the machine starts again. */
  async live(): Promise<void> {
    const server = this.#server as ServerProcess;
    const busy = [
      ...this.speakers.map((speaker) => speaker.speak(server.origin)),
      this.#signUpMore(server.origin),
    ].map((work) => expect(work).rejects.toThrow(/connection lost/));
    await pause(LIFE_MS[0] + Math.random() * (LIFE_MS[1] - LIFE_MS[0]));
    await this.disk.cutPower(async () => {
      server.signal("SIGKILL");
      await server.exited;
    });
    await Promise.all(busy);
    await this.start();
  }

  /** What was accepted is there, once, as it was sent, in order; and who has signed up can log in. */
  async check(cut: number): Promise<void> {
    const { origin } = this.#server as ServerProcess;
    const [live, away] = this.readers;
    const isBack = cut % 3 === 2;
    await live.read(origin, true);
    if (isBack) await away.read(origin, false);
    for (const reader of isBack ? this.readers : [live]) {
      const got = new Set(reader.order);
      const due = this.accepted.filter(({ to }) => to === reader.person);
      expect(due.filter(({ text }) => !got.has(text)).map(nameOf)).toEqual([]);
      for (const { person, said } of this.speakers) {
        const numbers = reader.order
          .filter((text) => text.startsWith(`${person.handle} `))
          .map((text) => said.findIndex((each) => each.text === text));
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      }
    }
    for (const person of this.#signedUp.splice(0)) {
      const client = await connectTo(origin);
      await client.hello(person);
      client.wire?.close();
    }
  }

  async #signUpMore(origin: string): Promise<void> {
    for (;;) {
      const person = new Person(`newcomer${this.#newcomers++}`);
      const client = await connectTo(origin);
      await orLost(client, client.signUp(person));
      this.#signedUp.push(person);
      await orLost(client, pause(20));
    }
  }
}

const nameOf = ({ text }: Said): string => text.slice(0, 20);

for (const fileSystem of ["ext4", "xfs"] as const)
  testWith(
    LOOP_DISKS,
    `${CUTS} power cuts on ${fileSystem} lose nothing that was accepted, and double nothing`,
    async () => {
      const world = new World(fileSystem);
      await world.signUpAll();
      for (let cut = 0; cut < CUTS; cut++) {
        await world.live();
        await world.check(cut);
      }
      console.log(`${fileSystem}: ${world.accepted.length} accepted, 0 lost in ${CUTS} power cuts`);
      expect(world.accepted.length).toBeGreaterThan(CUTS * 20);
    },
    CUTS * 8_000,
  );
