import { DEVICE_NAME_BYTES } from "@parley/crypto";
import { TEXT_BYTES_MAX, utf8Length } from "@parley/protocol";
import { MessengerError } from "./api.ts";
import type { OwnAccount } from "./identity/identity.ts";

// What a program hands to the Messenger is checked here, once.

const ACCOUNT_ID = /^[0-9a-f]{32}$/;

export function checkDeviceName(name = ""): void {
  if (utf8Length(name) > DEVICE_NAME_BYTES)
    throw new MessengerError(
      "device-name-too-long",
      `a device's name has at most ${DEVICE_NAME_BYTES} bytes`,
    );
}

export function checkText(text: string): void {
  if (text.length === 0) throw new MessengerError("empty-text", "there is nothing to send");
  if (utf8Length(text) > TEXT_BYTES_MAX)
    throw new MessengerError("text-too-long", `a message has at most ${TEXT_BYTES_MAX} bytes`);
}

export function checkConversation(accountId: string, own: OwnAccount): void {
  if (!ACCOUNT_ID.test(accountId) || accountId === own.accountId)
    throw new MessengerError("not-allowed", "not the id of another account");
}
