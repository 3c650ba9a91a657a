import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Finding, findingsOf } from "./finding.ts";
import { readableBytes, readableMs } from "./readable.ts";

const MiB = 1024 * 1024;
const SYNCS = 50;
/** A disk that is slower has shown what it is. */
const SYNCS_MS_MAX = 5_000;
const SYNCED_BYTES = 4096;
/** The mail log takes up to four files of 64 MiB, and moving them into the store as much again. */
const FREE_BYTES_NEEDED = 512 * MiB;
const FREE_BYTES_COMFORTABLE = 2048 * MiB;
const FREE_NODES_NEEDED = 100;
/** One commit is one of them: what everybody waits for with each message. */
const SYNC_MS_SLOW = 50;
/** No disk, and no flash without a battery, is that fast: somebody says "written" and keeps it in memory. */
const SYNC_MS_IMPOSSIBLE = 0.01;

type Kind = "memory" | "network" | "layer";

/** By their numbers in statfs(2), from linux/magic.h. */
const KINDS: ReadonlyMap<number, readonly [name: string, kind: Kind]> = new Map([
  [0x01021994, ["tmpfs", "memory"]],
  [0x858458f6, ["ramfs", "memory"]],
  [0x6969, ["NFS", "network"]],
  [0xff534d42, ["CIFS", "network"]],
  [0xfe534d42, ["SMB", "network"]],
  [0x65735546, ["FUSE", "network"]],
  [0x00c36400, ["Ceph", "network"]],
  [0x01021997, ["9p", "network"]],
  [0x794c7630, ["overlayfs", "layer"]],
]);

export interface DiskSeen {
  /** From statfs(2); 0 where the system has none. */
  readonly type: number;
  readonly freeBytes: number;
  /** Of its inodes. Undefined where the file system has no fixed number of them. */
  readonly freeNodes: number | undefined;
  /** How long each of some fsyncs took. None: they failed. */
  readonly syncMs: readonly number[];
}

/** Room, kind and speed of what the folder lies on. Writes a small file there and removes it. */
export function checkDisk(folder: string): Finding[] {
  const { type, bavail, bsize, files, ffree } = statfsSync(folder);
  return judgeDisk(folder, {
    type,
    freeBytes: bavail * bsize,
    freeNodes: files > 0 ? ffree : undefined,
    syncMs: timedSyncs(folder),
  });
}

export function judgeDisk(folder: string, seen: DiskSeen): Finding[] {
  return [...judgeKind(folder, seen.type), judgeRoom(seen), judgeSyncs(seen)];
}

function judgeKind(folder: string, type: number): Finding[] {
  const { warning } = findingsOf("disk");
  const [name, kind] = KINDS.get(type) ?? [];
  switch (kind) {
    case "memory":
      return [
        warning(
          `${folder} is in memory (${name}): a restart of the machine loses everything`,
          "put the data folder on a disk",
        ),
      ];
    case "network":
      return [
        warning(
          `${folder} is on a file system (${name}) whose locks and fsyncs may not be what a store needs`,
          "put the data folder on a disk of this machine",
        ),
      ];
    case "layer":
      return [
        warning(
          `${folder} is in a container's own layer (${name}), which goes with the container`,
          "mount a volume there",
        ),
      ];
    case undefined:
      return [];
  }
}

function judgeRoom({ freeBytes, freeNodes }: DiskSeen): Finding {
  const { ok, warning, problem } = findingsOf("disk");
  const says = `${readableBytes(freeBytes)} are free`;
  if (freeBytes < FREE_BYTES_NEEDED)
    return problem(says, "make room: a full disk refuses all sends, though it loses nothing");
  if (freeNodes !== undefined && freeNodes < FREE_NODES_NEEDED)
    return problem(`only ${freeNodes} files more fit (inodes)`, "delete small files there");
  if (freeBytes < FREE_BYTES_COMFORTABLE) return warning(says, "make room before it gets less");
  return ok(says);
}

function judgeSyncs({ syncMs }: DiskSeen): Finding {
  const { ok, warning, problem } = findingsOf("fsync");
  const sorted = syncMs.toSorted((a, b) => a - b);
  const [median, slow] = [
    sorted.at(sorted.length / 2),
    sorted.at(Math.floor(sorted.length * 0.99)),
  ];
  if (median === undefined || slow === undefined)
    return problem("nothing can be written durably here", "look at the disk: dmesg tells more");
  const says = `${SYNCED_BYTES / 1024} KiB are durable after ${readableMs(median)} (p50), ${readableMs(slow)} (p99)`;
  if (slow > SYNC_MS_SLOW)
    return warning(says, "each message waits for one: a faster disk, or fewer who share it");
  if (median < SYNC_MS_IMPOSSIBLE)
    return warning(
      `${says}: no disk is that fast`,
      "make sure that this file system writes when it is told to (eatmydata, a RAM disk, a host's cache)",
    );
  return ok(says);
}

function timedSyncs(folder: string): number[] {
  const path = join(folder, `doctor-${process.pid}.tmp`);
  const took: number[] = [];
  try {
    const file = openSync(path, "wx", 0o600);
    try {
      const bytes = new Uint8Array(SYNCED_BYTES).fill(1);
      const begun = performance.now();
      while (took.length < SYNCS && performance.now() - begun < SYNCS_MS_MAX) {
        const before = performance.now();
        writeSync(file, bytes, 0, bytes.length, 0);
        fdatasyncSync(file);
        took.push(performance.now() - before);
      }
    } finally {
      closeSync(file);
      rmSync(path);
    }
  } catch {
    return [];
  }
  return took;
}
