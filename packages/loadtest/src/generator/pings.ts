import { Histogram } from "../measure/histogram.ts";
import { Device } from "../parley/device.ts";
import { forEveryone } from "./for-everyone.ts";
import type { PingsJob, Results } from "./job.ts";

/** WebSocket pings at a pace, whether the last one was answered or not: what holds the server up shows in all. */
export async function runPings(
  job: PingsJob,
  ready: () => Promise<void>,
): Promise<Results["pings"]> {
  const roundTrips = new Histogram();
  const devices = await forEveryone(job, (account) => Device.logIn(account, job.port));
  const timers = devices.map(({ socket }) => {
    const sentAt: number[] = [];
    socket.handOver({
      message: () => undefined,
      pong: () => roundTrips.record(performance.now() - (sentAt.shift() as number)),
      closed: (reason) => {
        throw new Error(`a connection was lost: ${reason}`);
      },
    });
    return setInterval(() => {
      sentAt.push(performance.now());
      socket.ping();
    }, job.everyMs);
  });
  await ready();
  for (const timer of timers) clearInterval(timer);
  return { roundTrips: roundTrips.toJSON() };
}
