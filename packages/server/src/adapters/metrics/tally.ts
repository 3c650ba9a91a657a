/** Labels come from our own code and are few; this holds even where that is a mistake. */
const LABELS_MAX = 64;
export const OTHER = "other";

/** Counts by a label. */
export class Tally<Label extends string | number> {
  readonly #cells = new Map<Label | typeof OTHER, { count: number }>();

  /** Labels that are there from the start, at zero, so that a first increase is seen as one. */
  constructor(labels: readonly Label[] = []) {
    for (const label of labels) this.#cells.set(label, { count: 0 });
  }

  add(label: Label, count = 1): void {
    const cell = this.#cells.get(label) ?? this.#newCell(label);
    cell.count += count;
  }

  *entries(): Generator<readonly [label: Label | typeof OTHER, count: number]> {
    for (const [label, { count }] of this.#cells) yield [label, count];
  }

  #newCell(label: Label): { count: number } {
    const name = this.#cells.size < LABELS_MAX ? label : OTHER;
    const cell = this.#cells.get(name) ?? { count: 0 };
    this.#cells.set(name, cell);
    return cell;
  }
}
