// expect: noRestrictedImports noRestrictedGlobals noFloatingPromises
import { runSync } from "@parley/crypto";
import { SqliteMailboxStore } from "../adapters/embedded/sqlite-mailbox-store.ts";

export const decrypts = [runSync, SqliteMailboxStore, Date.now()];
async function send(): Promise<void> {}
send();
