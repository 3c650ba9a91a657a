import { type ChildProcess, fork } from "node:child_process";
import type { Clock } from "./measure.ts";
import type { Question } from "./side.ts";

/** A side in a process of its own: asked one question at a time, over Node's channel. */
export class SideProcess {
  readonly #child: ChildProcess;

  constructor(program: URL) {
    this.#child = fork(program, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  }

  ask(question: Question): Promise<number> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`a side ended with ${code}`));
      this.#child.once("exit", onExit);
      this.#child.once("message", (answer: { rate?: number; problem?: string }) => {
        this.#child.off("exit", onExit);
        if (answer.rate === undefined) reject(new Error(answer.problem));
        else resolve(answer.rate);
      });
      this.#child.send(question);
    });
  }

  close(): void {
    this.#child.disconnect();
  }
}

/** The other end. Ends when nobody asks any more. */
export function answerQuestions(measure: (question: Question) => Promise<number>): void {
  process.on("message", async (question: Question) => {
    try {
      process.send?.({ rate: await measure(question) });
    } catch (cause) {
      process.send?.({ problem: String(cause) });
    }
  });
}

/**
 * What this process has used of the processor, garbage collection included: on an idle machine the same as the wall
 * clock, or a little more, for work of one thread; on a busy one, what an idle one would give.
 */
export const cpuClock: Clock = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
