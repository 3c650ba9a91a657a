import { createInterface } from "node:readline";

/** One line of standard input, without its end; undefined where none comes in time, or no more can come. */
export async function readLine(withinMs: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const lines = createInterface({ input: process.stdin });
  const timer = setTimeout(resolve, withinMs, undefined);
  lines.once("line", resolve);
  lines.once("close", () => resolve(undefined));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    lines.close();
    process.stdin.pause();
  }
}
