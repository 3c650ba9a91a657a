import type { DatabaseSync } from "node:sqlite";
import type { Random } from "../../ports/random.ts";

const KEY_BYTES = 32;

/** Made with the folder, and never again: a folder that is put back still knows its receipts. */
export function receiptKeyOf(db: DatabaseSync, random: Random): Uint8Array {
  db.prepare("INSERT INTO store (key, value) VALUES ('receipt-key', ?) ON CONFLICT DO NOTHING").run(
    random(KEY_BYTES),
  );
  const found = db.prepare("SELECT value FROM store WHERE key = 'receipt-key'").get();
  return found?.["value"] as Uint8Array;
}
