import fc from "fast-check";
import { expect, test } from "vitest";
import { columnsOf, graphemesOf, wrap } from "../../src/terminal/columns.ts";

test("counts what terminals draw wide as two and what they draw over another as none", () => {
  expect(columnsOf("abc")).toBe(3);
  expect(columnsOf("äé")).toBe(2);
  expect(columnsOf("e\u0301")).toBe(1);
  expect(columnsOf("漢字")).toBe(4);
  expect(columnsOf("한글")).toBe(4);
  expect(columnsOf("שלום")).toBe(4);
  expect(columnsOf("😀")).toBe(2);
});

test("counts every part of a joined emoji, as a terminal that draws each would", () => {
  expect(columnsOf("👩‍👧")).toBe(4);
});

test("breaks at spaces, and inside a word that is longer than a row", () => {
  expect(wrap("one two three", 8)).toEqual(["one two ", "three"]);
  expect(wrap("abcdefgh", 3)).toEqual(["abc", "def", "gh"]);
  expect(wrap("a\n\nb", 5)).toEqual(["a", "", "b"]);
});

test("no row is wider than asked for, and no grapheme is lost or cut", () =>
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 200 }),
      fc.integer({ min: 8, max: 60 }),
      (text, columns) => {
        const rows = wrap(text, columns);
        for (const row of rows) {
          const parts = graphemesOf(row).length;
          if (parts > 1) expect(columnsOf(row)).toBeLessThanOrEqual(columns);
        }
        const letters = (value: string) => value.replaceAll(/\s/gu, "");
        expect(letters(rows.join(""))).toBe(letters(text));
      },
    ),
  ));
