/** Rows that stand together. They are narrower than the terminal, so each takes exactly one row of it. */
export interface Block {
  readonly key: string;
  readonly rows: readonly string[];
}

export interface InputRow {
  readonly row: string;
  readonly cursor: number;
}

/** As much of a terminal as is needed. */
export interface TerminalOutput {
  write(text: string): unknown;
  readonly columns: number;
  readonly rows: number;
}

const ERASE_DOWN = "\x1b[J";
const ERASE_SCREEN = "\x1b[2J\x1b[H";
const up = (rows: number) => (rows > 0 ? `\x1b[${rows}A` : "");
const right = (columns: number) => (columns > 0 ? `\x1b[${columns}C` : "");

/**
 * A growing list of blocks above one input row. What changes is written again from the first changed row
 * down, as far as that is still on the screen; what has scrolled out belongs to the terminal's scrollback.
 */
export class Screen {
  readonly #out: TerminalOutput;
  #painted: readonly Block[] = [];
  #input: InputRow = { row: "", cursor: 0 };

  constructor(out: TerminalOutput) {
    this.#out = out;
  }

  /** How many of the new blocks landed above what the screen still shows. */
  show(blocks: readonly Block[], input: InputRow): number {
    const kept = this.#withoutForgotten(blocks);
    const firstVisible = this.#firstVisible(kept);
    const change = firstDifference(kept, blocks);
    this.#painted = blocks;
    this.#input = input;
    if (change === kept.length && change === blocks.length) {
      this.showInput(input);
      return 0;
    }
    const from = Math.max(change, firstVisible);
    const start = from === change ? change : placeAfter(kept[from - 1], blocks);
    const rowsAbove = rowCount(kept.slice(from));
    const text = blocks.slice(start).flatMap((block) => block.rows.map((row) => `${row}\r\n`));
    this.#out.write(`\r${up(rowsAbove)}${ERASE_DOWN}${text.join("")}${this.#inputText()}`);
    const known = new Set(kept.map((block) => block.key));
    return blocks.slice(0, start).filter((block) => !known.has(block.key)).length;
  }

  showInput(input: InputRow): void {
    this.#input = input;
    this.#out.write(`\r${ERASE_DOWN}${this.#inputText()}`);
  }

  /** After the terminal changed its size nothing is known about where rows stand. */
  repaint(blocks: readonly Block[], input: InputRow): void {
    this.#out.write(ERASE_SCREEN);
    const visible = this.#firstVisible(blocks);
    this.#painted = blocks.slice(0, visible);
    this.show(blocks, input);
  }

  #inputText(): string {
    return `${this.#input.row}\r${right(this.#input.cursor)}`;
  }

  /** What the caller no longer names at the top has scrolled away and is left as it is. */
  #withoutForgotten(blocks: readonly Block[]): readonly Block[] {
    const keys = new Set(blocks.map((block) => block.key));
    const first = this.#painted.findIndex((block) => keys.has(block.key));
    return first === -1 ? [] : this.#painted.slice(first);
  }

  #firstVisible(blocks: readonly Block[]): number {
    let rows = 1; // The input row.
    let index = blocks.length;
    while (index > 0) {
      rows += blocks[index - 1]?.rows.length ?? 0;
      if (rows > this.#out.rows) break;
      index -= 1;
    }
    return index;
  }
}

function firstDifference(painted: readonly Block[], blocks: readonly Block[]): number {
  const length = Math.min(painted.length, blocks.length);
  for (let index = 0; index < length; index++) {
    const [before, now] = [painted[index], blocks[index]];
    if (before?.key !== now?.key || before?.rows.join("\n") !== now?.rows.join("\n")) return index;
  }
  return length;
}

function placeAfter(block: Block | undefined, blocks: readonly Block[]): number {
  return blocks.findIndex((candidate) => candidate.key === block?.key) + 1;
}

function rowCount(blocks: readonly Block[]): number {
  return blocks.reduce((count, block) => count + block.rows.length, 0);
}
