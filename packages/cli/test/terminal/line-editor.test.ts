import { expect, test } from "vitest";
import { LineEditor } from "../../src/terminal/line-editor.ts";

function editorWith(text: string): LineEditor {
  const editor = new LineEditor();
  for (const character of text) editor.press(character, {});
  return editor;
}

test("gives what was typed once it is entered, and is empty then", () => {
  const editor = editorWith("hello");
  expect(editor.press("\r", { name: "return" })).toEqual({ kind: "submitted", text: "hello" });
  expect(editor.text).toBe("");
});

test("deletes and moves by what a person takes for one character", () => {
  const editor = editorWith("a👨‍👩‍👧e\u0301");
  editor.press(undefined, { name: "backspace" });
  expect(editor.text).toBe("a👨‍👩‍👧");
  editor.press(undefined, { name: "left" });
  editor.press("b", {});
  expect(editor.text).toBe("ab👨‍👩‍👧");
  editor.press(undefined, { name: "delete" });
  expect(editor.text).toBe("ab");
});

test("knows the keys of a shell", () => {
  const editor = editorWith("one two three");
  editor.press(undefined, { name: "w", ctrl: true });
  expect(editor.text).toBe("one two ");
  editor.press(undefined, { name: "a", ctrl: true });
  editor.press("»", {});
  editor.press(undefined, { name: "k", ctrl: true });
  expect(editor.text).toBe("»");
  editor.press(undefined, { name: "u", ctrl: true });
  expect(editor.text).toBe("");
});

test("brings back what was entered before", () => {
  const editor = editorWith("first");
  editor.press("\r", { name: "return" });
  for (const character of "second") editor.press(character, {});
  editor.press("\r", { name: "return" });
  editor.press(undefined, { name: "up" });
  editor.press(undefined, { name: "up" });
  expect(editor.text).toBe("first");
  editor.press(undefined, { name: "down" });
  expect(editor.text).toBe("second");
});

test("takes the line breaks of a pasted text as text", () => {
  const editor = new LineEditor();
  editor.press(undefined, { name: "paste-start" });
  editor.press("a", { name: "a" });
  editor.press("\r", { name: "return" });
  editor.press("b", { name: "b" });
  editor.press(undefined, { name: "paste-end" });
  expect(editor.press("\r", { name: "return" })).toEqual({ kind: "submitted", text: "a\nb" });
});

test("leaves on ^C, and on ^D where nothing is typed", () => {
  expect(editorWith("x").press(undefined, { name: "c", ctrl: true }).kind).toBe("left");
  expect(editorWith("").press(undefined, { name: "d", ctrl: true }).kind).toBe("left");
  expect(editorWith("x").press(undefined, { name: "d", ctrl: true }).kind).toBe("edited");
});

test("takes no escape sequence of an unknown key for text", () => {
  const editor = new LineEditor();
  editor.press("\x1b[29~", { name: "undefined" });
  expect(editor.text).toBe("");
});

test("shows a part of a long line that holds the cursor, in one row", () => {
  const editor = editorWith("漢字".repeat(30));
  for (let moves = 0; moves < 60; moves++) {
    const { row, cursor } = editor.view(20);
    expect(cursor).toBeLessThan(20);
    expect(row.length * 2).toBeLessThanOrEqual(20);
    editor.press(undefined, { name: "left" });
  }
  expect(editor.view(20).cursor).toBe(0);
});
