import { randomUUID } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { generate } from "../generator/generate.ts";
import { folderBytes } from "../measure/folder-bytes.ts";
import { round } from "../measure/round.ts";
import type { StartTarget } from "../servers/target.ts";

const MAILBOXES = 10;
/** Drained before, so that the code is warm, as it is in every other load. */
const WARM_UP_MAILBOXES = 2;
const WINDOW = 64;
export interface BacklogOptions {
  readonly backlogMessages: number;
  /** For what a store does with mail that is not fetched at once: ours moves it after half a minute. */
  readonly settleSeconds: number;
}

export interface BacklogFigures {
  readonly backlogDrainPerSecond: number;
  readonly bytesPerMessage: number;
}

/** Mail for people who are away: what it takes on the disk, and how fast they have it when they come. */
export async function measureBacklog(
  start: StartTarget,
  { backlogMessages, settleSeconds }: BacklogOptions,
): Promise<BacklogFigures> {
  const messagesEach = Math.ceil(backlogMessages / MAILBOXES);
  const { network, port, pids, dataFolders, stop } = await start();
  try {
    const place = { network, port, world: randomUUID() };
    const writers = { ...place, from: 0, to: MAILBOXES + WARM_UP_MAILBOXES };
    const readers = { ...writers, from: writers.to, to: 2 * writers.to };
    await generate({ kind: "signUp", ...readers });
    const before = bytesIn(dataFolders);
    const filled = await generate({ kind: "fill", ...writers, messagesEach, window: WINDOW });
    await after(settleSeconds * 1000);
    const kept = bytesIn(dataFolders) - before;

    const drainOf = { kind: "drain", serverPids: pids, messagesEach } as const;
    const border = readers.from + WARM_UP_MAILBOXES;
    await generate({ ...drainOf, ...readers, to: border });
    const { drained, seconds, serverCpuSeconds } = await generate({
      ...drainOf,
      ...readers,
      from: border,
    });
    if (drained !== MAILBOXES * messagesEach) throw new Error(`${drained} came out of the backlog`);
    const figures: BacklogFigures = {
      backlogDrainPerSecond: round(drained / seconds),
      bytesPerMessage: round(kept / filled.accepted),
    };
    console.log(
      `backlog: ${filled.accepted} messages for ${writers.to} people who are away taken at ` +
        `${round(filled.accepted / filled.seconds)}/s, ${figures.bytesPerMessage} bytes each on the disk; ` +
        `${drained} drained and acked by ${MAILBOXES} at ${figures.backlogDrainPerSecond}/s, ` +
        `${round(drained / serverCpuSeconds)} per CPU-second`,
    );
    return figures;
  } finally {
    await stop();
  }
}

const bytesIn = (folders: readonly string[]) =>
  folders.reduce((sum, folder) => sum + folderBytes(folder), 0);
