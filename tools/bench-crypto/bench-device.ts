import { create } from "@bufbuild/protobuf";
import {
  beginSession,
  decodeSessionRecord,
  decrypt,
  deriveDeviceKeys,
  encodeSessionRecord,
  encrypt,
  type LocalDevice,
  makeOneTimePrekey,
  makeSignedPrekey,
  type OneTimePrekeySecret,
  type Operation,
  parsePrekeyMessage,
  type RemoteDevice,
  type SessionContext,
} from "../../packages/crypto/src/index.ts";
import { type PrekeyBundle, PrekeyBundleSchema } from "../../packages/protocol/src/index.ts";

export type Run = <T>(operation: Operation<T>) => T | Promise<T>;

/** Random bytes as a client's platform gives them, in Node and in browsers. */
export function random(byteCount: number): Uint8Array<ArrayBuffer> {
  return globalThis.crypto.getRandomValues(new Uint8Array(byteCount));
}

const SIGNED_PREKEY_ID = 1;

/** A device with one session, stored as bytes and read back for every message, as a client does. */
export class BenchDevice {
  readonly #run: Run;
  readonly #signed = { id: SIGNED_PREKEY_ID, privateKey: random(32) };
  readonly local: LocalDevice;
  #stored: Uint8Array | undefined;

  private constructor(run: Run, local: LocalDevice) {
    this.#run = run;
    this.local = local;
  }

  static async make(run: Run): Promise<BenchDevice> {
    const keys = await run(deriveDeviceKeys(random(32)));
    return new BenchDevice(run, { accountId: random(16), deviceId: 1, registrationId: 7, keys });
  }

  get remote(): RemoteDevice {
    const { accountId, deviceId, keys } = this.local;
    return { accountId, deviceId, identity: keys.identity };
  }

  get storedBytes(): number {
    return this.#stored?.length ?? 0;
  }

  async offer(id: number): Promise<{ bundle: PrekeyBundle; secret: OneTimePrekeySecret }> {
    const { deviceId, registrationId, keys } = this.local;
    const secret = { id, curvePrivate: random(32), kyberSeed: random(64) };
    const { public: signedPrekey } = await this.#run(makeSignedPrekey(keys, this.#signed));
    const { public: oneTimePrekey } = await this.#run(makeOneTimePrekey(keys, secret));
    const parts = { deviceId, registrationId, signedPrekey, oneTimePrekey };
    return { bundle: create(PrekeyBundleSchema, parts), secret };
  }

  async begin(other: BenchDevice, bundle: PrekeyBundle): Promise<void> {
    const begun = await this.#run(beginSession(undefined, this.#contextWith(other), bundle));
    if (begun.kind === "refused") throw new Error(begun.reason);
    this.#stored = encodeSessionRecord(begun.record);
  }

  /** Synchronous where the provider is: an `await` costs as much as a step. */
  send(other: BenchDevice, content: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const record = decodeSessionRecord(this.#stored as Uint8Array);
    const sent = this.#run(encrypt(record, this.#contextWith(other), content));
    return then(sent, ({ record: after, ciphertext }) => {
      this.#stored = encodeSessionRecord(after);
      return ciphertext;
    });
  }

  receive(
    other: BenchDevice,
    ciphertext: Uint8Array,
    oneTimePrekey?: OneTimePrekeySecret,
  ): number | Promise<number> {
    const record = this.#stored === undefined ? undefined : decodeSessionRecord(this.#stored);
    const prekeys = parsePrekeyMessage(ciphertext) && {
      signedPrekey: this.#signed,
      oneTimePrekey,
      lastResortPrekey: undefined,
      lastResortUsed: false,
    };
    const opened = this.#run(decrypt(record, this.#contextWith(other), { ciphertext, prekeys }));
    return then(opened, (outcome) => {
      if (outcome.kind !== "plaintext") throw new Error(`not read: ${outcome.kind}`);
      this.#stored = encodeSessionRecord(outcome.record);
      return outcome.plaintext.length;
    });
  }

  forgetSession(): void {
    this.#stored = undefined;
  }

  #contextWith(other: BenchDevice): SessionContext {
    return { local: this.local, remote: other.remote, nowMs: Date.now(), random };
  }
}

export function then<T, U>(value: T | Promise<T>, next: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Two devices that have answered each other, so that no message is a prekey message. */
export async function settledPair(run: Run): Promise<readonly [BenchDevice, BenchDevice]> {
  const [alice, bob] = [await BenchDevice.make(run), await BenchDevice.make(run)];
  const { bundle, secret } = await bob.offer(1);
  await alice.begin(bob, bundle);
  await bob.receive(alice, await alice.send(bob, CONTENT), secret);
  for (let turn = 0; turn < 4; turn++) {
    await alice.receive(bob, await bob.send(alice, CONTENT));
    await bob.receive(alice, await alice.send(bob, CONTENT));
  }
  return [alice, bob];
}

/** A short text, padded as Parley pads it (trust.md 9). */
export const CONTENT = new Uint8Array(255).fill(0x61);
