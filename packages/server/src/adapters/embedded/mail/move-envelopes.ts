import type { DatabaseSync } from "node:sqlite";
import { checksumOf } from "./cold-mail.ts";

type Old = {
  readonly position: number;
  readonly mailbox: number;
  readonly id: string;
  readonly source: string;
  readonly accepted_at_ms: number;
  readonly bytes: Uint8Array;
};

/** What a store of version 1 kept in `envelopes` goes to `mail`, and positions go on from there. */
export function moveEnvelopes(db: DatabaseSync): void {
  const insert = db.prepare(`INSERT INTO mail
    (mailbox, position, id, source, accepted_at_ms, checksum, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  let last = 0;
  for (const each of db.prepare("SELECT * FROM envelopes ORDER BY position").iterate()) {
    const { mailbox, position, accepted_at_ms, bytes, ...old } = each as Old;
    const [id, source] = [Buffer.from(old.id, "hex"), Buffer.from(old.source, "hex")];
    const checksum = checksumOf(mailbox, { position, id, source, bytes });
    insert.run(...[mailbox, position, id, source, accepted_at_ms, checksum, bytes]);
    last = position;
  }
  const given = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'envelopes'").get();
  const position = Math.max(last, (given?.["seq"] as number | undefined) ?? 0);
  db.prepare("INSERT INTO store (key, value) VALUES ('mail-position', ?)").run(position);
  db.exec("DROP TABLE envelopes");
}
