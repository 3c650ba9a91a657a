import { availableParallelism, totalmem } from "node:os";
import type { Config } from "../config/config.ts";
import { OPEN_FILES_SLACK, openFilesMax } from "../open-files.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { readableBytes } from "./readable.ts";

const MiB = 1024 * 1024;
/** A server that has just started has 129 MiB resident, half of it the program itself; its store's cache comes on top. */
const IDLE_BYTES = 150 * MiB;
/** An authenticated connection that says nothing; the benchmark's aim. */
const CONNECTION_BYTES = 8 * 1024;

export interface SystemSeen {
  readonly openFilesMax: number;
  /** What this process may use: the machine's memory, or its control group's. */
  readonly memoryBytes: number;
  readonly cores: number;
}

export function checkSystem(config: Config): Finding[] {
  return judgeSystem(config, {
    openFilesMax: openFilesMax(),
    memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
    cores: availableParallelism(),
  });
}

export function judgeSystem({ settings }: Config, seen: SystemSeen): Finding[] {
  return [
    judgeFiles(settings.connectionsMax, seen.openFilesMax),
    judgeMemory(settings.connectionsMax, seen.memoryBytes),
    findingsOf("node").ok(`${process.version}, ${seen.cores} cores, ${process.platform}`),
  ];
}

function judgeFiles(connectionsMax: number, most: number): Finding {
  const { ok, warning } = findingsOf("open files");
  const needed = connectionsMax + OPEN_FILES_SLACK;
  if (most >= needed)
    return ok(`the system allows ${most}, enough for ${connectionsMax} connections`);
  return warning(
    `the system allows ${most} open files, and ${connectionsMax} connections need ${needed}`,
    `raise the hard limit (systemd: LimitNOFILE=${needed}; a shell: ulimit -Hn ${needed}), or set server.connections_max to ${Math.max(1, most - OPEN_FILES_SLACK)}`,
  );
}

function judgeMemory(connectionsMax: number, most: number): Finding {
  const { ok, warning } = findingsOf("memory");
  const needed = IDLE_BYTES + connectionsMax * CONNECTION_BYTES;
  const says = `${readableBytes(most)}; a server with ${connectionsMax} idle connections takes about ${readableBytes(needed)}`;
  if (most >= needed) return ok(says);
  return warning(says, "give it more memory, or set server.connections_max lower");
}
