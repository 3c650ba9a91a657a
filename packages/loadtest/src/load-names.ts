/** In the order in which they run. */
export const LOAD_NAMES = [
  "window8",
  "window1",
  "window8-receipts",
  "window1-receipts",
  "paced",
  "idle",
  "backlog",
  "slow-disk",
] as const;

export type LoadName = (typeof LOAD_NAMES)[number];

export const isLoadName = (text: string): text is LoadName =>
  (LOAD_NAMES as readonly string[]).includes(text);
