import { columnsOf } from "../terminal/columns.ts";

/** So much is left to type in; hints give way to it. */
const ROOM_MIN = 14;

/** What stands before the input: the hints as far as there is room for them. Never wider than a row. */
export function promptOf(
  { connection, isRequest }: { readonly connection: string; readonly isRequest: boolean },
  columns: number,
): string {
  const online = connection === "online";
  const said = (request: string) =>
    [...(online ? [] : [connection]), ...(isRequest ? [request] : [])].join(", ");
  const hints = [
    said("a stranger: write or /accept, or /block"),
    said("a stranger: /help"),
    online ? "" : connection,
  ];
  const fits = hints.map(promptWith).find((prompt) => columnsOf(prompt) + ROOM_MIN <= columns);
  return fits ?? promptWith("");
}

const promptWith = (hint: string) => (hint === "" ? "› " : `(${hint}) › `);
