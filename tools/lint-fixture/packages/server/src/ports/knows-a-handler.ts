// expect: noRestrictedImports
import { sendMessage } from "../handlers/send-message.ts";

export const knows = sendMessage;
