import type { ChatWith } from "./chat-with.ts";

export type Done =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "told"; readonly lines: readonly string[] }
  | { readonly kind: "leave" };

const HELP = [
  "/accept   accept this request; so does writing",
  "/block    show nothing more of this account, and leave",
  "/verify   the safety number that both of you should see",
  "/quit     leave; so does ^D",
  "//…       a message that begins with /",
];

/** What a person typed is a message, unless it begins with one slash. */
export async function obey({ device, accountId, handle }: ChatWith, typed: string): Promise<Done> {
  const { messenger } = device;
  if (!typed.startsWith("/")) return { kind: "text", text: typed };
  if (typed.startsWith("//")) return { kind: "text", text: typed.slice(1) };
  switch (typed.trim()) {
    case "/quit":
      return { kind: "leave" };
    case "/accept":
      await messenger.acceptContact(accountId);
      return { kind: "told", lines: [`${handle} is now a contact.`] };
    case "/block":
      await messenger.blockContact(accountId);
      return { kind: "leave" };
    case "/verify":
      return { kind: "told", lines: [(await messenger.safetyNumber(accountId)).digits] };
    case "/help":
      return { kind: "told", lines: HELP };
    default:
      return {
        kind: "told",
        lines: ["Not a command. /help names them; // begins a message with /"],
      };
  }
}
