import { dirname } from "node:path";
import type { Clock } from "../../../ports/clock.ts";
import type { Log } from "../../../ports/log.ts";
import type { Mark } from "../../../ports/mark.ts";
import type { Metrics } from "../../../ports/metrics.ts";
import type { GroupCommit } from "../group-commit.ts";
import type { OpenedStore } from "../open-store.ts";
import { ColdMail } from "./cold-mail.ts";
import type { LogDisk } from "./log-disk.ts";
import { LoggedMailboxStore } from "./logged-mailbox-store.ts";
import { MailCommit } from "./mail-commit.ts";
import { type LogDamage, MailLog } from "./mail-log.ts";
import { replayLog } from "./mail-replay.ts";
import type { MailboxLimits } from "./mailbox.ts";
import { type Retired, Retirement, readRetired } from "./retirement.ts";

export interface MailParts {
  readonly store: OpenedStore;
  readonly storeCommit: GroupCommit;
  readonly disk: LogDisk;
  readonly fileBytes: number;
  readonly limits: MailboxLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly defer: (run: () => void) => void;
  readonly onFatal: (cause: unknown) => void;
}

export interface OpenedMail {
  readonly mailboxes: LoggedMailboxStore;
  /** What is not certainly lost: what was accepted above it may be (delivery.md 5). */
  readonly recovered: Mark;
  /** Empties the log into the store; by itself it does so twice a minute. */
  retire(): Promise<void>;
  /** Writes what waits. */
  flush(): Promise<void>;
  close(): void;
}

/** Mailboxes over log and store, as they stood when the last process ended, however it ended. */
export function openMail(parts: MailParts): OpenedMail {
  const { store, storeCommit, disk, fileBytes, clock, log, metrics } = parts;
  const { db } = store;
  const retired = readRetired(db);
  const folder = dirname(store.path);
  const mailLog = MailLog.open({ folder, disk, fileBytes, retired });
  const cold = new ColdMail(db);
  const replayed = replayLog(mailLog.takeRecovered(), cold);
  const mark = greater(replayed.mark ?? 0n, retired.mark);
  const position = Math.max(replayed.position, retired.position);
  const commit = new MailCommit(mailLog, mark, parts);
  const mailboxes = new LoggedMailboxStore(
    { ...parts, cold, commit },
    { mailboxes: replayed.mailboxes, position },
  );
  report(mailLog, log);
  const retirement = new Retirement({
    ...{ db, cold, mailLog, commit, storeCommit, mailboxes, clock, log },
  });
  retirement.start();
  metrics.gauge("hotEnvelopes", () => sum(mailboxes, ({ hotCount }) => hotCount));
  metrics.gauge("coldEnvelopes", () => cold.count());
  metrics.gauge("hotBytes", () => sum(mailboxes, ({ hotBytes }) => hotBytes));
  return {
    mailboxes,
    recovered: soundMark(mailLog.damage, { mark, retired }),
    retire: () => retirement.retire(),
    flush: () => commit.flush(),
    close: () => {
      commit.stop();
      mailLog.close();
    },
  };
}

function report(mailLog: MailLog, log: Log): void {
  if (mailLog.wasTorn) log.info({}, "mail-log-cut");
  for (const { file, at, lostAfter } of mailLog.damage)
    log.error({ file, position: at, mayBeLost: lostAfter !== undefined }, "mail-log-damaged");
}

/** Where a part is damaged, everything behind it counts as lost, so that its senders offer it again. */
function soundMark(
  damage: readonly LogDamage[],
  { mark, retired }: { readonly mark: Mark; readonly retired: Retired },
): Mark {
  let sound = mark;
  for (const { lostAfter } of damage)
    if (lostAfter !== undefined && lostAfter < sound) sound = greater(lostAfter, retired.mark);
  return sound;
}

const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);

function sum(
  mailboxes: LoggedMailboxStore,
  of: (each: { readonly hotCount: number; readonly hotBytes: number }) => number,
): number {
  let total = 0;
  for (const mailbox of mailboxes.mailboxes()) total += of(mailbox);
  return total;
}
