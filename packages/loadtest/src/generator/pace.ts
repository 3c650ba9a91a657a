const TURN_MS = 1;

/**
 * Calls that often a second, whatever the answers do: in turns of a millisecond, and after a late turn what it
 * owes. Returns what ends it.
 */
export function pace(perSecond: number, call: () => void): () => void {
  const startedAt = performance.now();
  let made = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1000);
    for (; made < due; made++) call();
  }, TURN_MS);
  return () => clearInterval(timer);
}
