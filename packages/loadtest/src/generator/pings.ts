import { Histogram } from "../measure/histogram.ts";
import { accountOf } from "../networks/parley/account.ts";
import { Device } from "../networks/parley/device.ts";
import { forEveryone } from "./for-everyone.ts";
import type { PingsJob, Results } from "./job.ts";

/** WebSocket pings at a pace, whether the last one was answered or not: what holds the server up shows in all. */
export async function runPings(
  job: PingsJob,
  ready: () => Promise<void>,
): Promise<Results["pings"]> {
  const roundTrips = new Histogram();
  const devices = await forEveryone(job, (number) =>
    Device.logIn(accountOf(job.world, number), job.port),
  );
  const timers = devices.map(({ socket }) => {
    const waiting: { readonly number: number; readonly sentAt: number }[] = [];
    let next = 0;
    socket.handOver({
      message: () => undefined,
      pong: (payload) => {
        const number = payload.readUInt32LE(0);
        // A server may answer the newest ping only (RFC 6455 section 5.5.3): those before it waited as well.
        while (waiting[0] !== undefined && waiting[0].number <= number)
          roundTrips.record(performance.now() - (waiting.shift()?.sentAt ?? 0));
      },
      closed: (reason) => {
        throw new Error(`a connection was lost: ${reason}`);
      },
    });
    return setInterval(() => {
      const payload = Buffer.alloc(4);
      payload.writeUInt32LE(next);
      waiting.push({ number: next++, sentAt: performance.now() });
      socket.ping(payload);
    }, job.everyMs);
  });
  await ready();
  for (const timer of timers) clearInterval(timer);
  return { roundTrips: roundTrips.toJSON() };
}
