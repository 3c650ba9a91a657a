import { columnsOf, graphemesOf } from "./columns.ts";
import { neutraliseLine } from "./neutralise.ts";

/** As `emitKeypressEvents` of node:readline names keys. */
export interface Key {
  readonly name?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
}

export type Pressed =
  | { readonly kind: "edited" }
  | { readonly kind: "submitted"; readonly text: string }
  | { readonly kind: "left" };

const EDITED: Pressed = { kind: "edited" };
const PAST_LINES_MAX = 100;

/** One line of input that always takes one row: what is too long slides sideways. */
export class LineEditor {
  #before: string[] = [];
  #after: string[] = [];
  #past: string[] = [];
  #pastIndex = 0;
  #pasting = false;

  get text(): string {
    return [...this.#before, ...this.#after].join("");
  }

  press(character: string | undefined, key: Key): Pressed {
    if (key.name === "paste-start" || key.name === "paste-end") {
      this.#pasting = key.name === "paste-start";
      return EDITED;
    }
    const enter = key.name === "return" || key.name === "enter";
    if (enter && (this.#pasting || key.meta)) return this.#insert("\n");
    if (enter) return this.#submit();
    if (key.ctrl) return this.#pressWithControl(key.name);
    const act = this.#actions[key.name ?? ""];
    if (act && !this.#pasting) {
      act();
      return EDITED;
    }
    if (character === undefined || key.meta) return EDITED;
    return this.#insert(character);
  }

  /** What stands in the row, and in which of its columns the cursor is. */
  view(columns: number): { readonly row: string; readonly cursor: number } {
    const before = this.#before.map(neutraliseLine);
    let cursor = columnsOf(before.join(""));
    while (cursor >= columns && before.length > 0) cursor -= columnsOf(before.shift() ?? "");
    let row = before.join("");
    let used = cursor;
    for (const grapheme of this.#after.map(neutraliseLine)) {
      used += columnsOf(grapheme);
      if (used >= columns) break;
      row += grapheme;
    }
    return { row, cursor };
  }

  readonly #actions: Record<string, () => void> = {
    backspace: () => this.#before.pop(),
    delete: () => this.#after.shift(),
    left: () => this.#move(this.#before.length - 1),
    right: () => this.#move(this.#before.length + 1),
    home: () => this.#move(0),
    end: () => this.#move(Number.POSITIVE_INFINITY),
    up: () => this.#recall(this.#pastIndex - 1),
    down: () => this.#recall(this.#pastIndex + 1),
    escape: () => {},
  };

  #pressWithControl(name: string | undefined): Pressed {
    if (name === "c") return { kind: "left" };
    if (name === "d") {
      if (this.text === "") return { kind: "left" };
      this.#after.shift();
    } else if (name === "a") this.#move(0);
    else if (name === "e") this.#move(Number.POSITIVE_INFINITY);
    else if (name === "u") this.#before = [];
    else if (name === "k") this.#after = [];
    else if (name === "h") this.#before.pop();
    else if (name === "w")
      this.#before = graphemesOf(this.#before.join("").replace(/\S*\s*$/u, ""));
    return EDITED;
  }

  #insert(characters: string): Pressed {
    // Printable, or a line break that was pasted: an unknown key's escape sequence is no text.
    const text = characters.replace(/\r\n?/g, "\n");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) return EDITED;
    // Joined again from the start: a combining mark or a joiner belongs to what stands before it.
    this.#before = graphemesOf(this.#before.join("") + text);
    return EDITED;
  }

  #submit(): Pressed {
    const text = this.text;
    if (text !== "") this.#past = [...this.#past, text].slice(-PAST_LINES_MAX);
    this.#pastIndex = this.#past.length;
    this.#set("");
    return { kind: "submitted", text };
  }

  #recall(index: number): void {
    if (index < 0 || index > this.#past.length) return;
    this.#pastIndex = index;
    this.#set(this.#past[index] ?? "");
  }

  #set(text: string): void {
    this.#before = graphemesOf(text);
    this.#after = [];
  }

  #move(to: number): void {
    const all = [...this.#before, ...this.#after];
    const place = Math.max(0, Math.min(to, all.length));
    this.#before = all.slice(0, place);
    this.#after = all.slice(place);
  }
}
