import { randomUUID } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { generate, startGenerator } from "../generator/generate.ts";
import { residentBytesOf } from "../measure/process-usage.ts";
import { round } from "../measure/round.ts";
import type { StartTarget, Target } from "../servers/target.ts";

/** A process may have 20,000 files open on many machines; the server needs one for each connection. */
const GENERATORS = 2;
/** Whoever came and went before: what the first connections cost once is not memory of a connection. */
const WARM_UP_CONNECTIONS = 200;
const KiB = 1024;

export interface IdleOptions {
  readonly connections: number;
  readonly restSeconds: number;
}

/** Memory of a connection that is logged in and does nothing. */
export async function measureIdle(
  start: StartTarget,
  { connections, restSeconds }: IdleOptions,
): Promise<number> {
  let server = await start();
  try {
    const world = randomUUID();
    const share = Math.ceil(connections / GENERATORS);
    const shares = Array.from({ length: GENERATORS }, (_, i) => ({
      world,
      from: i * share,
      to: Math.min(connections, (i + 1) * share),
    }));
    const at = ({ network, port }: Target) => ({ network, port });
    if (server.again !== undefined) {
      // Or connections would be made of what sign-ups left behind, and would seem to cost nothing.
      const signUps = shares.map((each) => ({ ...at(server), ...each }));
      await Promise.all(signUps.map((each) => generate({ kind: "signUp", ...each })));
      server = await server.again();
    }
    const warmUp = { world, from: 0, to: Math.min(WARM_UP_CONNECTIONS, connections) };
    const first = startGenerator({ kind: "connections", ...at(server), ...warmUp });
    await first.ready;
    await first.finish();

    const before = residentBytesOf(server.pids[0] as number);
    const began = performance.now();
    const held = shares.map((each) =>
      startGenerator({ kind: "connections", ...at(server), ...each }),
    );
    await Promise.all(held.map(({ ready }) => ready));
    const seconds = (performance.now() - began) / 1000;
    await after(restSeconds * 1000);
    const behind = residentBytesOf(server.pids[0] as number);
    const lost = (await Promise.all(held.map((each) => each.finish()))).map((each) => each.lost);
    if (lost.some((count) => count > 0)) throw new Error(`connections were lost: ${lost}`);
    const idleConnectionKiB = round((behind - before) / connections / KiB, 2);
    console.log(
      `idle: ${connections} connections logged in within ${round(seconds, 1)} s; ` +
        `${round(before / KiB / KiB)} MiB before, ${round(behind / KiB / KiB)} MiB after ${restSeconds} s: ` +
        `${idleConnectionKiB} KiB a connection`,
    );
    return idleConnectionKiB;
  } finally {
    await server.stop();
  }
}
