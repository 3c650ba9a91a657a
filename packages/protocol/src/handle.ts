/** 3–32 of a–z, 0–9 and single inner `.` or `_` (trust.md 2). */
const HANDLE = /^(?=.{3,32}$)[a-z0-9]+(?:[._][a-z0-9]+)*$/;

/** Folds to lower case; undefined where what was typed is outside the rule. */
export function parseHandle(typed: string): string | undefined {
  const folded = typed.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return HANDLE.test(folded) ? folded : undefined;
}
