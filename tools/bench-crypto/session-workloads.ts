import { decodeBraidMessage } from "../../packages/crypto/src/spqr/braid-message.ts";
import { newPqRatchet, pqReceive, pqSend } from "../../packages/crypto/src/spqr/pq-ratchet.ts";
import type { PqRatchet } from "../../packages/protocol/src/index.ts";
import { BenchDevice, CONTENT, type Run, random, settledPair } from "./bench-device.ts";
import type { Workload } from "./measure.ts";

const BATCH = 200;
const SESSION_BATCH = 10;

export async function encryptWorkload(run: Run): Promise<Workload> {
  const [alice, bob] = await settledPair(run);
  return {
    prepare: () => async () => {
      for (let n = 0; n < BATCH; n++) {
        const sent = alice.send(bob, CONTENT);
        if (sent instanceof Promise) await sent;
      }
      return BATCH;
    },
  };
}

export async function decryptWorkload(run: Run): Promise<Workload> {
  const [alice, bob] = await settledPair(run);
  return {
    async prepare() {
      const mail: Uint8Array[] = [];
      for (let n = 0; n < BATCH; n++) mail.push(await alice.send(bob, CONTENT));
      return async () => {
        for (const ciphertext of mail) {
          const read = bob.receive(alice, ciphertext);
          if (read instanceof Promise) await read;
        }
        return BATCH;
      };
    },
  };
}

/** Each message is encrypted, decrypted, and turns the ratchet. */
export async function pingPongWorkload(run: Run): Promise<Workload> {
  let pair = await settledPair(run);
  return {
    prepare: () => async () => {
      for (let n = 0; n < BATCH; n++) {
        const [from, to] = pair;
        const sent = from.send(to, CONTENT);
        const ciphertext = sent instanceof Promise ? await sent : sent;
        const read = to.receive(from, ciphertext);
        if (read instanceof Promise) await read;
        pair = [to, from];
      }
      return BATCH;
    },
  };
}

/** The same messages, the post-quantum ratchet alone: its share of a ping-pong. */
export async function pqPingPongWorkload(run: Run): Promise<Workload> {
  const key = random(32);
  let sides: readonly [PqRatchet, PqRatchet] = [newPqRatchet(true, key), newPqRatchet(false, key)];
  return {
    prepare: () => async () => {
      for (let n = 0; n < BATCH; n++) {
        const [from, to] = sides;
        const sent = await run(pqSend(from, random));
        const read = await run(pqReceive(to, decodeBraidMessage(sent.message), Date.now()));
        if (read.kind !== "key") throw new Error(read.kind);
        sides = [read.ratchet, sent.ratchet];
      }
      return BATCH;
    },
  };
}

/** Begun on a bundle with one-time prekey, its first message encrypted, and read by who offered it. */
export async function sessionsWorkload(run: Run): Promise<Workload> {
  const [alice, bob] = [await BenchDevice.make(run), await BenchDevice.make(run)];
  return {
    async prepare() {
      const offers: Awaited<ReturnType<BenchDevice["offer"]>>[] = [];
      for (let id = 1; id <= SESSION_BATCH; id++) offers.push(await bob.offer(id));
      return async () => {
        for (const { bundle, secret } of offers) {
          bob.forgetSession();
          await alice.begin(bob, bundle);
          await bob.receive(alice, await alice.send(bob, CONTENT), secret);
        }
        return SESSION_BATCH;
      };
    },
  };
}

export const FAN_OUT_DEVICES = 512;

/** One content for each of 512 devices, over sessions. Counts fan-outs. */
export async function fanOutWorkload(run: Run): Promise<Workload> {
  const pairs: (readonly [BenchDevice, BenchDevice])[] = [];
  for (let n = 0; n < FAN_OUT_DEVICES; n++) pairs.push(await settledPair(run));
  return {
    prepare: () => async () => {
      for (const [ours, theirs] of pairs) {
        const sent = ours.send(theirs, CONTENT);
        if (sent instanceof Promise) await sent;
      }
      return 1;
    },
  };
}
