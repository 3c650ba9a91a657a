import { MessengerError, type MessengerEvent, type ShownMessage } from "@parley/client";
import { isLive } from "../live.ts";
import { ReadMarks } from "../read-marks.ts";
import { eventLine, isTellable, messageRows, nameOf } from "../show.ts";
import type { Style } from "../style.ts";
import { columnsOf, wrap } from "../terminal/columns.ts";
import { type Key, LineEditor } from "../terminal/line-editor.ts";
import { type Block, type InputRow, Screen, type TerminalOutput } from "../terminal/screen.ts";
import { obey } from "./chat-commands.ts";
import type { ChatWith } from "./chat-with.ts";
import { promptOf } from "./prompt.ts";
import { StatusRow } from "./status-row.ts";

/** What is kept in view; what is older has scrolled into the terminal's own scrollback. */
const MESSAGES_MAX = 200;

export interface ChatViewParts {
  readonly out: TerminalOutput;
  readonly style: Style;
  end(): void;
  fail(cause: unknown): void;
}

interface Notice extends Block {
  /** The message that it stands below; undefined: above all. */
  readonly below: string | undefined;
}

/**
 * The screen is a function of the conversation's order: whatever happens, the order is read again and
 * what differs is written again. So a late message stands where it stands on the other side.
 */
export class ChatView {
  readonly #chat: ChatWith;
  readonly #parts: ChatViewParts;
  readonly #screen: Screen;
  readonly #marks: ReadMarks;
  readonly #editor = new LineEditor();
  readonly #status: StatusRow;
  #messages: readonly ShownMessage[] = [];
  #notices: readonly Notice[] = [];
  #noticesMade = 0;
  #reading = false;
  #stale = false;
  #left = false;
  readonly #marked = new Set<string>();

  constructor(chat: ChatWith, parts: ChatViewParts) {
    this.#chat = chat;
    this.#parts = parts;
    this.#screen = new Screen(parts.out);
    this.#status = new StatusRow(chat.handle);
    this.#marks = new ReadMarks(chat.device.messenger, parts.fail);
    this.#notice([`Chat with ${chat.handle}, end-to-end encrypted. /help, ^D ends.`]);
  }

  press(character: string | undefined, key: Key): void {
    const pressed = this.#editor.press(character, key);
    if (pressed.kind === "left") this.#parts.end();
    else this.#screen.showInput(this.#input());
    if (pressed.kind === "edited") this.#tellTyping();
    if (pressed.kind === "submitted") this.#submit(pressed.text).catch(this.#parts.fail);
  }

  take(event: MessengerEvent): void {
    if (event.type === "connection") {
      this.#screen.showInput(this.#input());
      return;
    }
    if (isLive(event)) {
      const isOurs = this.#status.take(event, this.#chat.accountId);
      if (isOurs && !this.#left) this.#screen.show(this.#blocks(), this.#input());
      return;
    }
    if (event.type === "message" && event.message.conversation !== this.#chat.accountId) {
      if (!event.message.from.mine) this.#notice([`${nameOf(event.message)} wrote to you.`]);
    } else if (isTellable(event) && event.type !== "status") {
      const ours = event.type === "alarm" || event.conversation === this.#chat.accountId;
      if (ours) this.#notice([eventLine(event, this.#parts.style)]);
    }
    this.refresh();
  }

  /** Reads the conversation and shows it; while one reading is under way, the next waits. */
  refresh(): void {
    this.#stale = true;
    if (!this.#reading) this.#read().catch(this.#parts.fail);
  }

  resized(): void {
    this.#screen.repaint(this.#blocks(), this.#input());
  }

  leave(): void {
    this.#left = true;
    this.#screen.showInput({ row: "", cursor: 0 });
    const waiting = this.#messages.filter(({ status }) => status === "queued").length;
    if (waiting === 0) return;
    const what = waiting === 1 ? "1 message waits" : `${waiting} messages wait`;
    const told = `${what} on this device: the next command that connects sends.`;
    this.#parts.out.write(`${this.#parts.style.dim(told)}\r\n`);
  }

  /** What begins with one slash is for this program. */
  #tellTyping(): void {
    const { text } = this.#editor;
    const isMessage = text !== "" && (!text.startsWith("/") || text.startsWith("//"));
    const { device, accountId } = this.#chat;
    device.messenger.typing(accountId, isMessage ? "typing" : "stopped");
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#stale && !this.#left) {
        this.#stale = false;
        const { messenger } = this.#chat.device;
        const limit = { limit: MESSAGES_MAX };
        this.#messages = await messenger.history(this.#chat.accountId, limit);
        this.#show();
      }
    } finally {
      this.#reading = false;
    }
  }

  #show(): void {
    if (this.#left) return;
    const above = this.#screen.show(this.#blocks(), this.#input());
    for (const message of this.#messages) this.#markShown(message);
    if (above === 0) return;
    this.#notice([`${above} earlier ${above === 1 ? "message" : "messages"} ↑`]);
    this.#screen.show(this.#blocks(), this.#input());
  }

  #markShown(message: ShownMessage): void {
    const { messageId, from, read, request } = message;
    if (from.mine || read || request || this.#marked.has(messageId)) return;
    this.#marked.add(messageId);
    this.#marks.add(messageId);
  }

  async #submit(typed: string): Promise<void> {
    if (typed === "") return;
    const done = await obey(this.#chat, typed);
    if (done.kind === "leave") this.#parts.end();
    if (done.kind === "told") this.#notice(done.lines);
    if (done.kind === "text") await this.#send(done.text);
    this.refresh();
  }

  async #send(text: string): Promise<void> {
    try {
      await this.#chat.device.messenger.sendText(this.#chat.accountId, text);
    } catch (cause) {
      if (!(cause instanceof MessengerError)) throw cause;
      this.#notice([`Not sent: ${cause.message}`]);
    }
  }

  #notice(lines: readonly string[]): void {
    this.#noticesMade += 1;
    const rows = lines
      .flatMap((line) => wrap(line, this.#parts.out.columns - 1))
      .map((row) => this.#parts.style.dim(row));
    const below = this.#messages.at(-1)?.messageId;
    this.#notices = [...this.#notices, { key: `notice ${this.#noticesMade}`, rows, below }];
  }

  #blocks(): readonly Block[] {
    const known = new Set<string | undefined>(this.#messages.map((one) => one.messageId));
    const noticesBelow = (id: string | undefined) =>
      this.#notices.filter((notice) => notice.below === id);
    this.#notices = this.#notices.filter(({ below }) => below === undefined || known.has(below));
    return [
      ...(this.#messages.length < MESSAGES_MAX ? noticesBelow(undefined) : []),
      ...this.#messages.flatMap((message) => [
        {
          key: message.messageId,
          rows: messageRows(message, this.#parts.style, this.#parts.out.columns - 1),
        },
        ...noticesBelow(message.messageId),
      ]),
      ...this.#statusBlocks(),
    ];
  }

  /** Last, so that it is in view however long the conversation. */
  #statusBlocks(): readonly Block[] {
    const { text } = this.#status;
    if (text === undefined) return [];
    const rows = wrap(text, this.#parts.out.columns - 1).slice(0, 1);
    return [{ key: "status", rows: rows.map((row) => this.#parts.style.dim(row)) }];
  }

  #input(): InputRow {
    const { kind: connection } = this.#chat.device.messenger.connectionState;
    const isRequest = this.#messages.some((message) => message.request);
    const { columns } = this.#parts.out;
    const prompt = promptOf({ connection, isRequest }, columns);
    const width = columnsOf(prompt);
    const { row, cursor } = this.#editor.view(columns - width - 1);
    return { row: prompt + row, cursor: width + cursor };
  }
}
