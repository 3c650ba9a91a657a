/** What a side can be asked to do: in batches, of which the preparation is not timed. */
export interface Workload {
  /** Prepares one batch; the work that is given back is timed, and says how much it did. */
  prepare(): Prepared | Promise<Prepared>;
}

export type Prepared = () => Promise<number>;

/** Milliseconds. */
export type Clock = () => number;

export const wallClock: Clock = () => performance.now();

export interface Measuring {
  /** Over at least so much, once it is warm. */
  readonly milliseconds: number;
  readonly clock: Clock;
}

/** How much a second. */
export async function perSecond(
  workload: Workload,
  { milliseconds, clock }: Measuring,
): Promise<number> {
  await timed(workload, { milliseconds: milliseconds / 4, clock });
  return timed(workload, { milliseconds, clock });
}

/**
 * How much a second in the best batch, by the wall clock: for what several threads do at once, which other work on the
 * machine slows in bursts.
 */
export async function bestPerSecond(workload: Workload, milliseconds: number): Promise<number> {
  let best = 0;
  const end = wallClock() + milliseconds;
  while (wallClock() < end) best = Math.max(best, await oneBatch(workload));
  return best;
}

async function oneBatch(workload: Workload): Promise<number> {
  const work = await workload.prepare();
  const start = wallClock();
  const done = await work();
  return (1000 * done) / (wallClock() - start);
}

async function timed(workload: Workload, { milliseconds, clock }: Measuring): Promise<number> {
  let done = 0;
  let spent = 0;
  while (spent < milliseconds) {
    const work = await workload.prepare();
    const start = clock();
    done += await work();
    spent += clock() - start;
  }
  return (1000 * done) / spent;
}
