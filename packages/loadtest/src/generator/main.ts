/** A process that makes load: takes one job from its parent, answers with its result, ends. */
import type { Job } from "./job.ts";
import { runPairs } from "./pairs.ts";

process.once("message", (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }, () => process.exit(0)),
    (cause: unknown) => {
      const error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      process.send?.({ error }, () => process.exit(1));
    },
  );
});

function run(job: Job): Promise<unknown> {
  switch (job.kind) {
    case "pairs":
      return runPairs(job);
  }
}
