import { openNetwork } from "../networks/open-network.ts";
import { forEveryone } from "./for-everyone.ts";
import type { ConnectionsJob, Results, SignUpJob } from "./job.ts";

export async function signUpAll(job: SignUpJob): Promise<Results["signUp"]> {
  const network = openNetwork(job);
  const began = performance.now();
  await forEveryone(job, (number) => network.signUp(number));
  return { seconds: (performance.now() - began) / 1000 };
}

/** Connections that do nothing but answer pings. */
export async function holdConnections(
  job: ConnectionsJob,
  ready: () => Promise<void>,
): Promise<Results["connections"]> {
  const network = openNetwork(job);
  let lost = 0;
  const events = {
    accepted: () => undefined,
    delivered: () => undefined,
    batch: () => undefined,
    failed: () => {
      lost++;
    },
  };
  const endpoints = await forEveryone(job, (number) => network.join(number, undefined, events));
  await ready();
  for (const endpoint of endpoints) endpoint.close();
  return { lost };
}
