/** What a side can be asked to do. One that is prepared outside of the clock is done `batch` times at a time. */
export interface Workload {
  /** Prepares one batch; the work that is given back is timed, and gives how often it did it. */
  prepare(): Prepared | Promise<Prepared>;
}

/** Synchronous where it can be: what it did is counted by its answer. */
export type Prepared = () => number | Promise<number>;

/** How often a second, over at least so many milliseconds, once it is warm. */
export async function perSecond(workload: Workload, milliseconds: number): Promise<number> {
  await timed(workload, milliseconds / 4);
  return timed(workload, milliseconds);
}

async function timed(workload: Workload, milliseconds: number): Promise<number> {
  let done = 0;
  let spent = 0;
  while (spent < milliseconds) {
    const work = await workload.prepare();
    const start = performance.now();
    done += await work();
    spent += performance.now() - start;
  }
  return (1000 * done) / spent;
}
