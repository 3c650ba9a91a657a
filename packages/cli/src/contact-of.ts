import type { MessengerApi, ShownContact } from "@parley/client";
import { connect } from "./connect.ts";
import { EXIT_REFUSED_INPUT, ExitError } from "./exit-status.ts";

/** Pinned contacts are found on the device; a handle that is new here is asked of the server. */
export async function contactOf(
  messenger: MessengerApi,
  handle: string,
): Promise<{ accountId: string; handle: string }> {
  if (handle.toLowerCase() === messenger.account?.handle)
    throw new ExitError(EXIT_REFUSED_INPUT, `${handle} is you: a conversation takes another`);
  const known = await knownContact(messenger, handle);
  if (known) return { accountId: known.accountId, handle: known.handle ?? handle };
  await connect(messenger);
  return messenger.resolveHandle(handle);
}

export async function knownContact(
  messenger: MessengerApi,
  handle: string,
): Promise<ShownContact | undefined> {
  const folded = handle.toLowerCase();
  return (await messenger.contacts()).find((contact) => contact.handle === folded);
}
