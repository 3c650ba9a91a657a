import fc from "fast-check";
import { expect, test } from "vitest";
import { type Block, Screen } from "../../src/terminal/screen.ts";
import { VirtualTerminal } from "../fixtures/virtual-terminal.ts";

const INPUT = { row: "> typing", cursor: 8 };
const block = (key: string, ...rows: string[]): Block => ({ key, rows });

function screenOf(columns: number, rows: number): { terminal: VirtualTerminal; screen: Screen } {
  const terminal = new VirtualTerminal(columns, rows);
  return { terminal, screen: new Screen(terminal) };
}

test("puts what arrives above the input line and leaves that whole", () => {
  const { terminal, screen } = screenOf(40, 10);
  screen.show([block("a", "hello")], INPUT);
  screen.show([block("a", "hello"), block("b", "you", "there")], INPUT);
  expect(terminal.screen).toEqual(["hello", "you", "there", "> typing"]);
  expect(terminal.cursor).toEqual({ row: 3, column: 8 });
});

test("changes a block where it stands", () => {
  const { terminal, screen } = screenOf(40, 10);
  screen.show([block("a", "◷ hi"), block("b", "other")], INPUT);
  screen.show([block("a", "✓ hi"), block("b", "other")], INPUT);
  expect(terminal.screen).toEqual(["✓ hi", "other", "> typing"]);
});

test("puts a late block into its place", () => {
  const { terminal, screen } = screenOf(40, 10);
  screen.show([block("a", "1"), block("c", "3")], INPUT);
  expect(screen.show([block("a", "1"), block("b", "2"), block("c", "3")], INPUT)).toBe(0);
  expect(terminal.screen).toEqual(["1", "2", "3", "> typing"]);
});

test("counts blocks that landed above what is on the screen, and does not tear it", () => {
  const { terminal, screen } = screenOf(40, 4);
  const many = Array.from({ length: 9 }, (_, index) => block(`k${index}`, `line ${index}`));
  screen.show(many, INPUT);
  expect(screen.show([block("late", "late"), ...many], INPUT)).toBe(1);
  expect(terminal.screen).toEqual(["line 6", "line 7", "line 8", "> typing"]);
});

test("the screen always ends in the newest rows and the input, whatever comes and changes", () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.array(
          fc.record({
            key: fc.integer({ min: 0, max: 12 }).map(String),
            rows: fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 3 }),
          }),
          { maxLength: 12 },
        ),
        { maxLength: 8 },
      ),
      fc.integer({ min: 4, max: 12 }),
      (steps, rows) => {
        const { terminal, screen } = screenOf(20, rows);
        const all = new Map<string, Block>();
        for (const step of steps) {
          for (const one of step) all.set(one.key, one);
          const unique = [...all.values()].sort((a, b) => Number(a.key) - Number(b.key));
          screen.show(unique, INPUT);
          expect(terminal.screen.at(-1)).toBe(INPUT.row);
          // What fits entirely is what the caller said, to the row.
          const last = unique.at(-1);
          if (last && last.rows.length < rows)
            expect(terminal.screen.slice(0, -1).slice(-last.rows.length)).toEqual(last.rows);
        }
      },
    ),
  ));
