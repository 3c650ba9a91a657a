import { emitKeypressEvents } from "node:readline";
import type { MessengerEvent } from "@parley/client";
import { endedError, tryToConnect } from "../connect.ts";
import { untilStopped } from "../stopped.ts";
import { styleFor } from "../style.ts";
import type { Key } from "../terminal/line-editor.ts";
import { ChatView } from "./chat-view.ts";
import type { ChatWith } from "./chat-with.ts";

const PASTE_ON = "\x1b[?2004h";
const PASTE_OFF = "\x1b[?2004l";

/** For people: what arrives stands above the input line, and ticks change where they stand. */
export async function terminalChat(chat: ChatWith): Promise<void> {
  const { messenger } = chat.device;
  const { promise: over, resolve: end, reject: fail } = Promise.withResolvers<void>();
  const view = new ChatView(chat, {
    out: process.stdout,
    style: styleFor(process.stdout),
    end,
    fail,
  });
  const { stdin, stdout } = process;
  const onKey = (character: string | undefined, key: Key) => view.press(character, key);
  const onResize = () => view.resized();
  const onEvent = (event: MessengerEvent) => {
    if (event.type === "connection" && event.state.kind === "ended")
      fail(endedError(event.state.reason));
    view.take(event);
  };

  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdout.write(PASTE_ON);
  stdin.on("keypress", onKey);
  stdout.on("resize", onResize);
  const unsubscribe = messenger.on(onEvent);
  try {
    // The conversation is there at once; the server may come later.
    view.refresh();
    messenger.setActive(true);
    messenger.watchPresence([chat.accountId]).catch(fail);
    tryToConnect(messenger).catch(fail);
    await Promise.race([over, untilStopped()]);
  } finally {
    messenger.typing(chat.accountId, "stopped");
    unsubscribe();
    stdin.off("keypress", onKey);
    stdout.off("resize", onResize);
    stdin.setRawMode(false);
    stdin.pause();
    view.leave();
    stdout.write(PASTE_OFF);
  }
}
