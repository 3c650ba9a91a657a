import type { Place } from "../networks/open-network.ts";

/** A server under load, in processes of its own. */
export interface Target extends Pick<Place, "network" | "port"> {
  /** Theirs and their children's is the CPU time. The first is the one that holds the connections. */
  readonly pids: readonly number[];
  /** Where messages are kept. */
  readonly dataFolders: readonly string[];
  /** Ends it and starts it anew on the same data: what it learnt of its people is on the disk alone. */
  again?(): Promise<Target>;
  /** Ends it as an operator would, and takes its data away. */
  stop(): Promise<void>;
}

export type StartTarget = () => Promise<Target>;
