import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import {
  type DeviceKeys,
  deriveDeviceKeys,
  makeDeviceEntry,
  makeLastResortPrekey,
  makeSignedPrekey,
  runSync,
  signDeviceEntry,
  signLogin,
  verifyAccountChain,
} from "@parley/crypto";
import { nodeProvider } from "@parley/crypto/platform/node";
import {
  AccountChangeSchema,
  type ClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  fromHex,
  type ServerFrame,
  type SignedAccountEntry,
} from "@parley/protocol";
import { type Citizen, SERVER_URL, type Town } from "./town.ts";

type Answer = NonNullable<ServerFrame["response"]>;
type Case = NonNullable<Answer["case"]>;
type ValueOf<C extends Case> = Extract<Answer, { case: C }>["value"];
type Request = Extract<Parameters<typeof encodeClientFrame>[0], { $typeName?: never }>["request"];

const SECOND = 2;
const REGISTRATION_ID = 2_002;
/** Of the client's DeviceIdentity. */
const SEED_FIELD = 1;
const provider = nodeProvider();
const run = <T>(operation: Parameters<typeof runSync<T>>[1]): T => runSync(provider, operation);

interface Listed {
  readonly deviceId: number;
  readonly keys: DeviceKeys;
}

/**
 * A second device of somebody who is not connected: listed, with prekeys, and without a program. What is sent
 * to it lies in its mailbox until the test takes it out.
 */
export async function addSecondDevice(town: Town, person: Citizen): Promise<SecondDevice> {
  const phone: Listed = { deviceId: 1, keys: run(deriveDeviceKeys(await seedOf(person))) };
  const second: Listed = { deviceId: SECOND, keys: run(deriveDeviceKeys(randomBytes(32))) };
  const line = new Line(town);
  const accountId = fromHex(person.id);
  const entries = await line.logIn({ accountId, ...phone });
  const state = stateOf(accountId, entries);
  const listedAs = { accountId, deviceId: SECOND, registrationId: REGISTRATION_ID };
  const device = run(makeDeviceEntry(second.keys, { ...listedAs, sealedName: new Uint8Array(0) }));
  const change = create(AccountChangeSchema, { change: { case: "addDevice", value: device } });
  const { entry } = run(signDeviceEntry(phone, state, [change]));
  await line.ask("appendAccountEntry", { case: "appendAccountEntry", value: { entry } });
  line.end();
  const made = new SecondDevice(town, { accountId, ...second });
  await made.leavePrekeys();
  return made;
}

export class SecondDevice {
  readonly #town: Town;
  readonly #who: Listed & { readonly accountId: Uint8Array };

  constructor(town: Town, who: Listed & { readonly accountId: Uint8Array }) {
    this.#town = town;
    this.#who = who;
  }

  async leavePrekeys(): Promise<void> {
    const { keys } = this.#who;
    const line = await this.connect();
    const privateKey = randomBytes(32);
    const signedPrekey = run(makeSignedPrekey(keys, { id: 1, privateKey })).public;
    const kyberSeed = randomBytes(64);
    const lastResortPrekey = run(makeLastResortPrekey(keys, { id: 1, kyberSeed })).public;
    const value = { signedPrekey, lastResortPrekey };
    await line.ask("uploadPrekeys", { case: "uploadPrekeys", value });
    line.end();
  }

  async connect(): Promise<Line> {
    const line = new Line(this.#town);
    await line.logIn(this.#who);
    return line;
  }
}

/** A connection without a program behind it. */
export class Line {
  readonly frames: ServerFrame[] = [];
  readonly #town: Town;
  readonly #accepted: { receive(frame: Uint8Array): void; closed(): void };
  #requests = 0;

  constructor(town: Town) {
    this.#town = town;
    const { server } = town;
    if (server === undefined) throw new Error("the server is down");
    this.#accepted = server.accept({
      send: (frame) => this.frames.push(decodeServerFrame(frame.slice())),
      close: () => undefined,
      bufferedBytes: () => 0,
    });
  }

  get delivered(): number {
    return this.all("deliver").reduce((sum, { envelopes }) => sum + envelopes.length, 0);
  }

  async ask<C extends Case>(answer: C, request: Request): Promise<ValueOf<C>> {
    this.#requests++;
    return await this.#frame(answer, { requestId: this.#requests, request });
  }

  /** What it was given is stored, as far as the server knows. */
  ackAll(): void {
    const value = { upToOrdinal: BigInt(this.delivered), stateNumber: 0n };
    this.#accepted.receive(encodeClientFrame({ request: { case: "ack", value } }));
  }

  end(): void {
    this.#accepted.closed();
  }

  /** The account's chain, which the hello needs. */
  async logIn(
    who: Listed & { readonly accountId: Uint8Array },
  ): Promise<readonly SignedAccountEntry[]> {
    const { accountId, deviceId, keys } = who;
    const challenge = await this.#frame("challenge");
    const signature = run(
      signLogin(keys, { origin: SERVER_URL, challenge: challenge.nonce, accountId, deviceId }),
    );
    await this.ask("welcome", {
      case: "hello",
      value: {
        version: 1,
        login: { origin: SERVER_URL, accountId, deviceId, signature },
        window: { envelopes: 1024, bytes: 1024 * 1024 },
        // What it knows of its chain is compared by the client; the server only answers with its own.
        ownHead: { era: 1, version: 1, hash: new Uint8Array(16) },
        prekeys: {},
      },
    });
    const value = { accountId };
    return (await this.ask("fetchAccountChain", { case: "fetchAccountChain", value })).entries;
  }

  /** What came under that name. */
  all<C extends Case>(wanted: C): ValueOf<C>[] {
    return this.frames.flatMap(({ response }) =>
      response.case === wanted ? [response.value as ValueOf<C>] : [],
    );
  }

  async #frame<C extends Case>(
    wanted: C,
    asked?: Pick<ClientFrame, "requestId"> & { readonly request: Request },
  ): Promise<ValueOf<C>> {
    if (asked !== undefined)
      this.#accepted.receive(encodeClientFrame(asked as Parameters<typeof encodeClientFrame>[0]));
    const found = () => this.frames.find(({ requestId }) => requestId === (asked?.requestId ?? 0));
    await this.#town.until(() => found() !== undefined);
    const { response } = found() as ServerFrame;
    if (response.case !== wanted) throw new Error(`${JSON.stringify(response.value)}`);
    return response.value as ValueOf<C>;
  }
}

function stateOf(accountId: Uint8Array, entries: readonly SignedAccountEntry[]) {
  const verdict = run(verifyAccountChain({ accountId, entries }));
  if (verdict.kind !== "valid") throw new Error("the account's chain does not hold");
  return verdict.state;
}

async function seedOf({ store }: Citizen): Promise<Uint8Array> {
  const row = await store.reopen().get("vault-device", "identity");
  const reader = new BinaryReader(row as Uint8Array);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === SEED_FIELD) return reader.bytes();
    reader.skip(type, field);
  }
  throw new Error("an identity without its seed");
}
