import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Histogram } from "./histogram.ts";
import { round } from "./round.ts";

/** USER_HZ. */
const TICKS_PER_SECOND = 100;
/** Of the first line of /proc/stat (proc(5)): all but idle, waiting for the disk, and guests, who are counted twice. */
const BUSY = [0, 1, 2, 5, 6, 7];
const PROBE_MS = 500;
const PROBE_BYTES = 4096;
const PROBE_FILE_BYTES = 1024 * 1024;

/** CPU time of everything that runs here. */
export function busySeconds(): number {
  const [line = ""] = fs.readFileSync("/proc/stat", "latin1").split("\n", 1);
  const ticks = line.trim().split(/\s+/).slice(1).map(Number);
  return BUSY.reduce((sum, field) => sum + (ticks[field] ?? 0), 0) / TICKS_PER_SECOND;
}

/** What figures stand on: processor, memory, kernel, runtime, and how long the disk takes. */
export function describeMachine(): string {
  const [cpu] = os.cpus();
  const disk = probeDisk();
  const ms = (share: number) => round(disk.percentileMs(share), 2);
  return (
    `${os.cpus().length} × ${cpu?.model}, ${round(os.totalmem() / 2 ** 30)} GiB, ` +
    `${os.type()} ${os.release()}, Node ${process.version}; a durable write of 4 KiB in ` +
    `${os.tmpdir()} takes ${ms(0.5)} ms (p99 ${ms(0.99)})`
  );
}

/** As the server's log writes: in place, through to the disk. */
function probeDisk(): Histogram {
  const times = new Histogram();
  const file = path.join(os.tmpdir(), `parley-probe-${process.pid}`);
  fs.writeFileSync(file, Buffer.alloc(PROBE_FILE_BYTES));
  const descriptor = fs.openSync(file, fs.constants.O_WRONLY | (fs.constants.O_DSYNC ?? 0));
  try {
    fs.fsyncSync(descriptor);
    const end = performance.now() + PROBE_MS;
    for (let at = 0; performance.now() < end; at = (at + PROBE_BYTES) % PROBE_FILE_BYTES) {
      const began = performance.now();
      fs.writeSync(descriptor, Buffer.alloc(PROBE_BYTES, 1), 0, PROBE_BYTES, at);
      times.record(performance.now() - began);
    }
  } finally {
    fs.closeSync(descriptor);
    fs.rmSync(file);
  }
  return times;
}
