import { create } from "@bufbuild/protobuf";
import {
  acceptDistribution,
  decodeSenderKeyRecord,
  decryptFromGroup,
  distributionOf,
  encodeOwnSenderKey,
  encodeSenderKeyRecord,
  encryptToGroup,
  makeSenderKey,
  prepareToSend,
  type ReadySenderKey,
  type RemoteDevice,
  withHolders,
} from "../../packages/crypto/src/index.ts";
import { KeyDistributionSchema } from "../../packages/protocol/src/index.ts";
import { BenchDevice, CONTENT, type Run, random } from "./bench-device.ts";
import type { Workload } from "./measure.ts";

const BATCH = 200;
/** Above 64 devices a key serves 1,000 messages (trust.md 4). */
const GROUP_DEVICES = 256;

/** A group of 256 devices, and a key that all of them hold. */
class BenchGroup {
  readonly groupId = random(32);
  readonly #run: Run;
  readonly #devices: readonly RemoteDevice[];
  readonly sender: BenchDevice;
  key: ReadySenderKey | undefined;
  stored: Uint8Array = new Uint8Array(0);
  received: Uint8Array = new Uint8Array(0);

  constructor(run: Run, sender: BenchDevice, devices: readonly RemoteDevice[]) {
    this.#run = run;
    this.sender = sender;
    this.#devices = devices;
  }

  static async make(run: Run): Promise<BenchGroup> {
    const sender = await BenchDevice.make(run);
    const { identity } = sender.remote;
    const devices = Array.from({ length: GROUP_DEVICES }, (_, n) => ({
      accountId: random(16),
      deviceId: 1 + (n % 4),
      identity,
    }));
    return new BenchGroup(run, sender, devices);
  }

  /** Ready for a batch of messages: rotated where that is due. */
  async readyFor(messageCount: number): Promise<void> {
    const nowMs = Date.now();
    if (this.key !== undefined && this.key.own.iteration + messageCount <= 1000) return;
    const { groupId } = this;
    const made = await this.#run(makeSenderKey({ groupId, nowMs, random }));
    const own = withHolders(made, this.#devices);
    const prepared = prepareToSend(own, this.#devices, nowMs);
    if (prepared.kind !== "ready") throw new Error(prepared.kind);
    this.key = prepared.key;
    this.stored = encodeOwnSenderKey(own);
    const { accountId, deviceId } = this.sender.local;
    const claimed = { groupId, distribution: distributionOf(own), accountId, deviceId };
    const accepted = acceptDistribution(
      undefined,
      this.sender.remote,
      create(KeyDistributionSchema, claimed),
    );
    if (accepted.kind !== "accepted") throw new Error(accepted.kind);
    this.received = encodeSenderKeyRecord(accepted.record);
  }
}

export async function senderKeyEncryptWorkload(run: Run): Promise<Workload> {
  const group = await BenchGroup.make(run);
  return {
    async prepare() {
      await group.readyFor(BATCH);
      return async () => {
        for (let n = 0; n < BATCH; n++) await encryptOne(run, group);
        return BATCH;
      };
    },
  };
}

/** The key stays ready in memory, as its type demands; it is stored before each message leaves. */
async function encryptOne(run: Run, group: BenchGroup): Promise<Uint8Array> {
  const sent = await run(encryptToGroup(group.key as ReadySenderKey, CONTENT, Date.now()));
  if (sent.kind !== "encrypted") throw new Error(sent.kind);
  group.key = sent.key;
  group.stored = encodeOwnSenderKey(sent.own);
  return sent.ciphertext;
}

export async function senderKeyDecryptWorkload(run: Run): Promise<Workload> {
  const group = await BenchGroup.make(run);
  return {
    async prepare() {
      await group.readyFor(BATCH);
      const mail: Uint8Array[] = [];
      for (let n = 0; n < BATCH; n++) mail.push(await encryptOne(run, group));
      return async () => {
        for (const ciphertext of mail) await decryptOne(run, group, ciphertext);
        return BATCH;
      };
    },
  };
}

async function decryptOne(run: Run, group: BenchGroup, ciphertext: Uint8Array): Promise<void> {
  const { groupId, sender } = group;
  const context = { groupId, from: sender.remote, nowMs: Date.now() };
  const record = decodeSenderKeyRecord(group.received);
  const opened = await run(decryptFromGroup(record, context, ciphertext));
  if (opened.kind !== "opened") throw new Error(opened.kind);
  const { accountId, deviceId } = sender.local;
  const outcome = opened.message.checkedBy(() => ({ accountId, deviceId, groupId }));
  if (outcome.kind !== "plaintext") throw new Error(outcome.kind);
  group.received = encodeSenderKeyRecord(outcome.record);
}
