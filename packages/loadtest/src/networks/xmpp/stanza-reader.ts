export type OnStanza = (name: string, stanza: string) => void;

/**
 * Cuts a stream into the elements below its root. For what ejabberd sends us, in which no element holds another
 * of its own name; anything else would be cut too early.
 */
export class StanzaReader {
  readonly #onStanza: OnStanza;
  #rest = "";

  constructor(onStanza: OnStanza) {
    this.#onStanza = onStanza;
  }

  push(chunk: Buffer): void {
    const text = this.#rest + chunk.toString("latin1");
    let at = 0;
    for (;;) {
      const start = text.indexOf("<", at);
      const headEnd = start < 0 ? -1 : text.indexOf(">", start);
      if (headEnd < 0) break;
      const name = /^<([^\s/>]+)/.exec(text.slice(start, headEnd + 1))?.[1] ?? "";
      const end = endOf(text, { name, headEnd });
      if (end === undefined) break;
      at = end;
      this.#onStanza(name, text.slice(start, end));
    }
    this.#rest = text.slice(at);
  }
}

/** Undefined: it is not complete. */
function endOf(text: string, { name, headEnd }: { name: string; headEnd: number }) {
  // The stream's own head, and what stands before it, have their end elsewhere.
  if (name === "stream:stream" || name === "?xml") return headEnd + 1;
  if (text[headEnd - 1] === "/") return headEnd + 1;
  const tail = `</${name}>`;
  const end = text.indexOf(tail, headEnd);
  return end < 0 ? undefined : end + tail.length;
}

/** Of the element itself, not of those in it. */
export function attributeOf(stanza: string, name: string): string | undefined {
  const head = stanza.slice(0, stanza.indexOf(">"));
  return new RegExp(` ${name}=['"]([^'"]*)['"]`).exec(head)?.[1];
}
