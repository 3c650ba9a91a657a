const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const TAB_COLUMNS = 4;

const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;
// East Asian Wide and Fullwidth (UAX #11) by block, and everything that may be drawn as an emoji.
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]$/u;
const EMOJI = /^\p{Extended_Pictographic}$/u;

/**
 * An upper bound of the columns that a terminal uses. Terminals disagree about joined emoji, some draw
 * each part: counting every part means that a row is never wider than we think, so it never wraps by itself.
 */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}

function columnsOfCharacter(character: string): number {
  if (character === "\t") return TAB_COLUMNS;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x300) return 1;
  if (INVISIBLE.test(character)) return 0;
  return WIDE.test(character) || EMOJI.test(character) ? 2 : 1;
}

/** What a person takes for one character. */
export function graphemesOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/**
 * Breaks text into rows of at most so many columns, at spaces where there are some; no grapheme is cut
 * unless it alone is wider than a row. Nothing is reordered: right-to-left text is the terminal's work.
 */
export function wrap(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line.replaceAll("\t", "    "), columns));
}

function wrapLine(line: string, columns: number): string[] {
  const rows: string[] = [];
  let row = "";
  let used = 0;
  for (const word of line.split(/(?<= )/)) {
    if (used + columnsOf(word.trimEnd()) > columns && used > 0) {
      rows.push(row);
      row = "";
      used = 0;
    }
    for (const grapheme of graphemesOf(word)) {
      const wanted = columnsOf(grapheme);
      // A space that ends a full row is not worth a row of its own.
      if (used + wanted > columns && grapheme === " ") continue;
      if (used + wanted > columns && used > 0) {
        rows.push(row);
        row = "";
        used = 0;
      }
      row += grapheme;
      used += wanted;
    }
  }
  return [...rows, row];
}
