import { Device } from "../parley/device.ts";
import { forEveryone } from "./for-everyone.ts";
import type { ConnectionsJob, Results, SignUpJob } from "./job.ts";

export async function signUpAll(job: SignUpJob): Promise<Results["signUp"]> {
  const began = performance.now();
  await forEveryone(job, (account) => Device.signUp(account, job.port));
  return { seconds: (performance.now() - began) / 1000 };
}

/** Connections that do nothing but answer pings. */
export async function holdConnections(
  job: ConnectionsJob,
  ready: () => Promise<void>,
): Promise<Results["connections"]> {
  let lost = 0;
  const devices = await forEveryone(job, (account) => Device.logIn(account, job.port));
  for (const { socket } of devices)
    socket.handOver({
      message: () => undefined,
      closed: () => {
        lost++;
      },
    });
  await ready();
  for (const { socket } of devices) socket.cut();
  return { lost };
}
