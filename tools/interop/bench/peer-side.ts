import { randomUUID } from "node:crypto";
import * as signal from "@signalapp/libsignal-client";
import { perSecond, type Workload } from "../../bench-crypto/measure.ts";
import { answerQuestions, cpuClock } from "../../bench-crypto/questions.ts";
import type { Compared, Question } from "../../bench-crypto/side.ts";
import { Peer } from "../test/peer.ts";

/** The official library at the same work, its stores serialising every record too. */
const CONTENT = new Uint8Array(255).fill(0x61);
const BATCH = 200;
const SESSION_BATCH = 10;

const MAKE: Readonly<Record<Compared, () => Promise<Workload>>> = {
  async encryptPerSecond() {
    const [alice, bob] = await settledPair();
    return repeated(() => alice.encrypt(CONTENT, bob.address));
  },

  async decryptPerSecond() {
    const [alice, bob] = await settledPair();
    return {
      async prepare() {
        const mail: Uint8Array[] = [];
        for (let n = 0; n < BATCH; n++)
          mail.push((await alice.encrypt(CONTENT, bob.address)).serialize());
        return async () => {
          for (const bytes of mail) await bob.decrypt(false, bytes, alice.address);
          return BATCH;
        };
      },
    };
  },

  async pingPongPerSecond() {
    let [from, to] = await settledPair();
    return repeated(async () => {
      await pass(from, to);
      [from, to] = [to, from];
    });
  },

  async sessionsPerSecond() {
    return {
      async prepare() {
        const begun: { alice: Peer; bob: Peer; bundle: signal.PreKeyBundle }[] = [];
        for (let n = 0; n < SESSION_BATCH; n++) {
          const bob = newPeer();
          begun.push({ alice: newPeer(), bob, bundle: await bundleOf(bob, 1) });
        }
        return async () => {
          for (const { alice, bob, bundle } of begun) {
            await alice.begin(bundle, bob.address);
            await pass(alice, bob);
          }
          return SESSION_BATCH;
        };
      },
    };
  },

  async senderKeyEncryptPerSecond() {
    const group = await GroupOfTwo.make();
    return repeated(() => group.encrypt());
  },

  async senderKeyDecryptPerSecond() {
    const group = await GroupOfTwo.make();
    return {
      async prepare() {
        const mail: Uint8Array[] = [];
        for (let n = 0; n < BATCH; n++) mail.push(await group.encrypt());
        return async () => {
          for (const bytes of mail) await group.decrypt(bytes);
          return BATCH;
        };
      },
    };
  },
};

const made = new Map<string, Promise<Workload>>();
answerQuestions(async ({ workload, milliseconds }: Question) => {
  const known = made.get(workload) ?? MAKE[workload as Compared]();
  made.set(workload, known);
  return perSecond(await known, { milliseconds, clock: cpuClock });
});

function repeated(work: () => Promise<unknown>): Workload {
  return {
    prepare: () => async () => {
      for (let n = 0; n < BATCH; n++) await work();
      return BATCH;
    },
  };
}

function newPeer(): Peer {
  return new Peer(randomUUID(), 1, 7);
}

/** What is sent is sent as bytes. */
async function pass(from: Peer, to: Peer): Promise<void> {
  const message = await from.encrypt(CONTENT, to.address);
  const isPrekeyMessage = message.type() === signal.CiphertextMessageType.PreKey;
  await to.decrypt(isPrekeyMessage, message.serialize(), from.address);
}

async function settledPair(): Promise<[Peer, Peer]> {
  const [alice, bob] = [newPeer(), newPeer()];
  await alice.begin(await bundleOf(bob, 1), bob.address);
  for (let turn = 0; turn < 5; turn++) {
    await pass(alice, bob);
    await pass(bob, alice);
  }
  return [alice, bob];
}

async function bundleOf(peer: Peer, id: number): Promise<signal.PreKeyBundle> {
  const published = await peer.publish({ oneTime: id, signed: id, kyber: id });
  const key = (bytes: Uint8Array) => new Uint8Array(bytes);
  return signal.PreKeyBundle.new(
    peer.registrationId,
    peer.address.deviceId(),
    id,
    signal.PublicKey.deserialize(key(published.oneTimePublic as Uint8Array)),
    id,
    signal.PublicKey.deserialize(key(published.signedPublic)),
    key(published.signedSignature),
    peer.identity.publicKey,
    id,
    signal.KEMPublicKey.deserialize(key(published.kyberPublic)),
    key(published.kyberSignature),
  );
}

class MemorySenderKeys extends signal.SenderKeyStore {
  #record: Uint8Array<ArrayBuffer> | undefined;

  async saveSenderKey(
    _sender: signal.ProtocolAddress,
    _distributionId: signal.Uuid,
    record: signal.SenderKeyRecord,
  ): Promise<void> {
    this.#record = record.serialize();
  }

  async getSenderKey(): Promise<signal.SenderKeyRecord | null> {
    return this.#record === undefined ? null : signal.SenderKeyRecord.deserialize(this.#record);
  }
}

/** A sender key is the same for any number of members. */
class GroupOfTwo {
  readonly #sender = signal.ProtocolAddress.new(randomUUID(), 1);
  readonly #distributionId = randomUUID();
  readonly #sending = new MemorySenderKeys();
  readonly #receiving = new MemorySenderKeys();

  static async make(): Promise<GroupOfTwo> {
    const group = new GroupOfTwo();
    const distribution = await signal.SenderKeyDistributionMessage.create(
      group.#sender,
      group.#distributionId,
      group.#sending,
    );
    await signal.processSenderKeyDistributionMessage(group.#sender, distribution, group.#receiving);
    return group;
  }

  async encrypt(): Promise<Uint8Array> {
    const made = await signal.groupEncrypt(
      this.#sender,
      this.#distributionId,
      this.#sending,
      CONTENT,
    );
    return made.serialize();
  }

  decrypt(bytes: Uint8Array): Promise<Uint8Array> {
    return signal.groupDecrypt(this.#sender, this.#receiving, new Uint8Array(bytes));
  }
}
