/** Runs in order of time, and at one time in the order in which it was asked for. */
interface Timer {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * The only time there is in a simulated world. It stands still while code runs, and jumps to the next timer
 * once every promise has settled. So a world of one process, whose only input is a seed, always does the
 * same; what breaks that (a thread of the pool, real time) shows as a trace hash that differs.
 */
export class VirtualClock {
  /** A binary heap: the earliest is first. */
  readonly #timers: Timer[] = [];
  #time = 0;
  #order = 0;

  /** Milliseconds since the world began. Never jumps. */
  get time(): number {
    return this.#time;
  }

  get pending(): number {
    return this.#timers.reduce((count, { run }) => count + (run === undefined ? 0 : 1), 0);
  }

  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { at: this.#time + Math.max(0, delayMs), order: this.#order++, run };
    push(this.#timers, timer);
    return () => {
      timer.run = undefined;
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Time passes until the condition holds; false where the deadline came first. */
  async runUntil(holds: () => boolean, deadline: number): Promise<boolean> {
    for (;;) {
      await settled();
      if (holds()) return true;
      const next = this.#next(deadline);
      if (next === undefined) {
        this.#time = Math.max(this.#time, deadline);
        return false;
      }
      this.#time = next.at;
      next.run?.();
    }
  }

  #next(deadline: number): Timer | undefined {
    for (;;) {
      const first = this.#timers[0];
      if (first === undefined) return undefined;
      if (first.run !== undefined && first.at > deadline) return undefined;
      pop(this.#timers);
      if (first.run !== undefined) return first;
    }
  }
}

/** A turn of the event loop: by then every microtask has run, and those that they made. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Timer[], timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Timer;
    if (!before(timer, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Timer, heap[child] as Timer)) child++;
    const below = heap[child] as Timer;
    if (!before(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
}
