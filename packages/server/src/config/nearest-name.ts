/** The one that was most likely meant, or none that is near enough to be worth a guess. */
export function nearestName(typed: string, names: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    const distance = editDistance(typed, name);
    if (distance < (best?.distance ?? distanceMax(typed) + 1)) best = { name, distance };
  }
  return best?.name;
}

/** A third of a word may be wrong, and two letters of a short one: beyond that a guess misleads. */
const distanceMax = (typed: string) => Math.max(2, Math.floor(typed.length / 3));

/** Letters left out, put in, replaced, or changed places with their neighbour (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  let twoBack: number[] = [];
  let back = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      line.push(
        Math.min(
          at(back, column) + 1,
          at(line, column - 1) + 1,
          at(back, column - 1) + (isSame ? 0 : 1),
          isSwapped ? at(twoBack, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    twoBack = back;
    back = line;
  }
  return at(back, to.length);
}

const at = (line: readonly number[], index: number): number =>
  line[index] ?? Number.POSITIVE_INFINITY;
