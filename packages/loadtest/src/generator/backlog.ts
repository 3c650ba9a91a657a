import { encodeClientFrame } from "@parley/protocol";
import { cpuSecondsOf } from "../measure/process-usage.ts";
import { accountOf } from "../parley/account.ts";
import { Device } from "../parley/device.ts";
import { ServerFrameScan } from "../parley/server-frame.ts";
import { ack } from "./ack.ts";
import { forEveryone } from "./for-everyone.ts";
import type { DrainJob, DrainResult, FillJob, Results } from "./job.ts";
import { Party } from "./party.ts";

const DRAIN_REQUEST_ID = 1000;

export async function fill(job: FillJob): Promise<Results["fill"]> {
  const writers = await forEveryone(job, (account) => Device.logIn(account, job.port));
  const began = performance.now();
  const accepted = await Promise.all(writers.map((writer, i) => write(writer, job.to + i, job)));
  const seconds = (performance.now() - began) / 1000;
  return { accepted: accepted.reduce((sum, each) => sum + each, 0), seconds };
}

function write(writer: Device, reader: number, { world, messagesEach, window }: FillJob) {
  return new Promise<number>((resolve, reject) => {
    const party = new Party(writer, accountOf(world, reader), {
      accepted: (count) => {
        const left = messagesEach - party.sent;
        if (left > 0) party.send(Math.min(count, left));
        else if (party.accepted === messagesEach) resolve(party.accepted);
      },
      delivered: () => undefined,
      batch: () => undefined,
      failed: reject,
    });
    party.send(Math.min(window, messagesEach));
  }).finally(() => writer.socket.cut());
}

export async function drain(job: DrainJob): Promise<DrainResult> {
  // Connected and challenged before the clock starts: the drain is what is measured.
  const waiting = await forEveryone(job, async (account) => {
    const device = await Device.connect(account, job.port);
    return { device, challenge: await device.challenge() };
  });
  const cpuBefore = cpuSecondsOf(job.serverPids);
  const began = performance.now();
  const drained = await Promise.all(
    waiting.map(({ device, challenge }) => take(device, challenge, job.messagesEach)),
  );
  return {
    drained: drained.reduce((sum, each) => sum + each, 0),
    seconds: (performance.now() - began) / 1000,
    serverCpuSeconds: cpuSecondsOf(job.serverPids) - cpuBefore,
  };
}

/** Resolves with how many came, once the server has answered behind the last ack. */
function take(device: Device, challenge: Uint8Array, expected: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let [came, lastOrdinal, ackedOrdinal] = [0, 0, 0];
    const { socket } = device;
    const scan = new ServerFrameScan({
      accepted: () => undefined,
      envelope: () => {
        came++;
      },
      delivered: (ordinal) => {
        lastOrdinal = ordinal;
      },
      other: ({ requestId, response }) => {
        if (response.case === "drained" && requestId === DRAIN_REQUEST_ID) resolve(came);
        if (response.case === "error") reject(new Error(response.value.message));
      },
    });
    device.onWelcome = {
      message: (bytes, start, end) => scan.scan(bytes, start, end),
      read: () => {
        if (lastOrdinal === ackedOrdinal) return;
        ackedOrdinal = lastOrdinal;
        socket.send(ack(lastOrdinal));
        if (came >= expected)
          socket.send(
            encodeClientFrame({
              requestId: DRAIN_REQUEST_ID,
              request: { case: "drain", value: {} },
            }),
          );
      },
      closed: (reason) => reject(new Error(`a connection was lost: ${reason}`)),
    };
    device.greet(challenge).catch(reject);
  }).finally(() => device.socket.cut()) as Promise<number>;
}
