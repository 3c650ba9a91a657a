const LINE_BREAKS = /\r\n?|\u0085|\u2028|\u2029/g;
// C0 but tab and line feed, DEL, C1 (xterm obeys 0x9b as CSI, also in UTF-8), and the two bidi overrides,
// which make a text read as another. All other right-to-left marks stay.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const HOSTILE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202d\u202e]/g;
const DELETE = 0x7f;
/** Control pictures: U+2400 + the code shows an escape as ␛. */
const PICTURES = 0x2400;
const PICTURE_OF_DELETE = "\u2421";
const REPLACEMENT = "\ufffd";

/** Makes what others wrote safe for a terminal: it is shown, and drives nothing. */
export function neutralise(text: string): string {
  return text.replace(LINE_BREAKS, "\n").replace(HOSTILE, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(PICTURES + code);
    return code === DELETE ? PICTURE_OF_DELETE : REPLACEMENT;
  });
}

/** For one row: line breaks and tabs are shown as signs too. */
export function neutraliseLine(text: string): string {
  return neutralise(text).replaceAll("\n", "⏎").replaceAll("\t", " ");
}

/** JSON leaves DEL and C1 as they are; escaped they mean the same, and a terminal stays itself. */
export function toSafeJson(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\u202d\u202e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
