/** By the names of quality.md 2. `UTD`: something stayed undecryptable (I12). */
export type Invariant = "I1" | "I2" | "I3" | "I4" | "I6" | "I7" | "I12" | "I15";

export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
  /** Where in the history it shows. */
  readonly seq: number;
  /** What to look for around it: keys of texts, ids of messages and envelopes. */
  readonly about: readonly string[];
}
