import fs from "node:fs";

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
// Fields of /proc/PID/stat (proc(5)), counted from the one behind the name in brackets.
const PARENT = 1;
const [USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM] = [11, 12, 13, 14];
const RESIDENT_PAGES = 21;

/** CPU time of a process with all its threads, and of all processes below it, ended ones included. */
export function cpuSecondsOf(rootPids: readonly number[]): number {
  let ticks = 0;
  for (const fields of familyOf(rootPids))
    for (const field of [USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM])
      ticks += Number(fields[field]);
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of one process. */
export function residentBytesOf(pid: number): number {
  return Number(statOf(pid)?.[RESIDENT_PAGES] ?? 0) * PAGE_BYTES;
}

function familyOf(rootPids: readonly number[]): readonly (readonly string[])[] {
  const stats = new Map<number, readonly string[]>();
  for (const name of fs.readdirSync("/proc")) {
    const pid = Number(name);
    if (Number.isInteger(pid)) {
      const fields = statOf(pid);
      if (fields !== undefined) stats.set(pid, fields);
    }
  }
  const family = new Set(rootPids.filter((pid) => stats.has(pid)));
  // A child may stand before its parent: until nothing is added.
  for (let before = -1; before !== family.size; ) {
    before = family.size;
    for (const [pid, fields] of stats) if (family.has(Number(fields[PARENT]))) family.add(pid);
  }
  return [...family].map((pid) => stats.get(pid) as readonly string[]);
}

function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name may hold blanks and brackets.
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // It has ended.
  }
}
