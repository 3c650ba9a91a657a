/** A process that makes load: takes one job from its parent, answers with its result, ends. */
import { drain, fill } from "./backlog.ts";
import { holdConnections, signUpAll } from "./connections.ts";
import type { Job } from "./job.ts";
import { runPairs } from "./pairs.ts";
import { runPings } from "./pings.ts";

const finished = new Promise<void>((resolve) => {
  process.on("message", (message) => {
    if (message === "finish") resolve();
  });
});

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
    case "signUp":
      return signUpAll(job);
    case "connections":
      return holdConnections(job, ready);
    case "fill":
      return fill(job);
    case "drain":
      return drain(job);
    case "pings":
      return runPings(job, ready);
  }
}

/** Says so, and resolves when the parent has seen enough. */
function ready(): Promise<void> {
  process.send?.("ready");
  return finished;
}
