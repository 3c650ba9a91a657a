export { check, type Verdict } from "./checker/check.ts";
export type { HistoryEvent } from "./checker/history.ts";
export { type Report, reportOf, type Summary } from "./report.ts";
export { Counters, SOMETIMES } from "./world/sometimes.ts";
export { runWorld, type WorldOptions, type WorldResult } from "./world/world.ts";
