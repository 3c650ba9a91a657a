/** What the doctor saw. */
export interface Finding {
  /** What was looked at, in a word. */
  readonly check: string;
  /** A warning is for a person to weigh; a problem is wrong. */
  readonly level: "ok" | "warning" | "problem";
  readonly says: string;
  /** What to do, where something is to be done. */
  readonly advice?: string;
}

/** Findings of one check, written short. */
export function findingsOf(check: string) {
  return {
    ok: (says: string): Finding => ({ check, level: "ok", says }),
    warning: (says: string, advice: string): Finding => ({ check, level: "warning", says, advice }),
    problem: (says: string, advice: string): Finding => ({ check, level: "problem", says, advice }),
  };
}
