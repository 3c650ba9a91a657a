/**
 * On which lines of a TOML file its tables and keys stand, by name: `server`, `server.port`. The parser tells
 * lines of mistakes in the notation only. What this does not see, such as a key in an inline table, has the
 * line of its table, or none.
 */
export function tomlLines(toml: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let table = "";
  for (const [index, line] of toml.split("\n").entries()) {
    const header = HEADER.exec(line)?.[1];
    const key = KEY.exec(line)?.[1];
    if (header !== undefined) {
      table = dotted(header);
      note(lines, table, index + 1);
    } else if (key !== undefined)
      note(lines, table === "" ? dotted(key) : `${table}.${dotted(key)}`, index + 1);
  }
  return lines;
}

const PART = `(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')`;
const NAME = String.raw`(${PART}(?:\s*\.\s*${PART})*)`;
const HEADER = new RegExp(String.raw`^\s*\[{1,2}\s*${NAME}\s*\]`);
const KEY = new RegExp(String.raw`^\s*${NAME}\s*=`);

const dotted = (name: string) => name.replace(/["'\s]/g, "");

/** And the tables that a dotted name opens, where they first appear. */
function note(lines: Map<string, number>, name: string, line: number): void {
  for (let end = name.length; end > 0; end = name.lastIndexOf(".", end - 1)) {
    const part = name.slice(0, end);
    if (!lines.has(part)) lines.set(part, line);
  }
}
