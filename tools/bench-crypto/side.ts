import {
  bareOpenWorkload,
  bareSealWorkload,
  openWorkload,
  sealWorkload,
} from "./attachment-workloads.ts";
import type { Run } from "./bench-device.ts";
import { senderKeyDecryptWorkload, senderKeyEncryptWorkload } from "./group-workloads.ts";
import { bestPerSecond, type Clock, perSecond, type Workload } from "./measure.ts";
import {
  decryptWorkload,
  encryptWorkload,
  fanOutWorkload,
  pingPongWorkload,
  pqPingPongWorkload,
  sessionsWorkload,
} from "./session-workloads.ts";

/** What every side does: ours in Node and in Chromium, and the official library. */
export const COMPARED = [
  "encryptPerSecond",
  "decryptPerSecond",
  "pingPongPerSecond",
  "sessionsPerSecond",
  "senderKeyEncryptPerSecond",
  "senderKeyDecryptPerSecond",
] as const;
export type Compared = (typeof COMPARED)[number];

/** What only ours does. */
export const OWN = [
  "pqPingPongPerSecond",
  "fanOutPerSecond",
  "sealMibPerSecond",
  "openMibPerSecond",
  "bareSealMibPerSecond",
  "bareOpenMibPerSecond",
] as const;
export type Own = (typeof OWN)[number];

export interface Question {
  readonly workload: Compared | Own;
  readonly milliseconds: number;
}

const MAKE: Readonly<Record<Compared | Own, (run: Run) => Promise<Workload>>> = {
  encryptPerSecond: encryptWorkload,
  decryptPerSecond: decryptWorkload,
  pingPongPerSecond: pingPongWorkload,
  sessionsPerSecond: sessionsWorkload,
  senderKeyEncryptPerSecond: senderKeyEncryptWorkload,
  senderKeyDecryptPerSecond: senderKeyDecryptWorkload,
  pqPingPongPerSecond: pqPingPongWorkload,
  fanOutPerSecond: fanOutWorkload,
  sealMibPerSecond: sealWorkload,
  openMibPerSecond: openWorkload,
  bareSealMibPerSecond: bareSealWorkload,
  bareOpenMibPerSecond: bareOpenWorkload,
};

/**
 * Our side, by whatever runs operations. Each workload is set up once. `clock` is for what one thread does.
 */
export function ourSide(run: Run, clock: Clock): (question: Question) => Promise<number> {
  const made = new Map<Question["workload"], Promise<Workload>>();
  return async ({ workload, milliseconds }) => {
    const known = made.get(workload) ?? MAKE[workload](run);
    made.set(workload, known);
    if (workload.endsWith("MibPerSecond")) return bestPerSecond(await known, milliseconds);
    return perSecond(await known, { milliseconds, clock });
  };
}
