import type { DatabaseSync } from "node:sqlite";

export function mailboxStatements(db: DatabaseSync) {
  const state = db.prepare(
    "SELECT state_number, skipped, seen_at_ms FROM mailboxes WHERE number = ?",
  );
  state.setReadBigInts(true);
  return {
    state,
    begin: db.prepare("INSERT INTO mailboxes (account, device, seen_at_ms) VALUES (?, ?, ?)"),
    end: db.prepare("DELETE FROM mailboxes WHERE number = ?"),
    endEnvelopes: db.prepare("DELETE FROM envelopes WHERE mailbox = ?"),
    number: db.prepare("SELECT number FROM mailboxes WHERE account = ? AND device = ?"),
    seen: db.prepare(`UPDATE mailboxes SET state_number = max(state_number, ?), seen_at_ms = ?
      WHERE number = ?`),
    setSkipped: db.prepare("UPDATE mailboxes SET skipped = ? WHERE number = ?"),
    insert: db.prepare(`INSERT INTO envelopes
      (mailbox, id, source, accepted_at_ms, checksum, bytes) VALUES (?, ?, ?, ?, ?, ?)`),
    byId: db.prepare("SELECT bytes FROM envelopes WHERE mailbox = ? AND id = ?"),
    // By the mailbox's own index: without it the planner might walk all positions.
    read: db.prepare(`SELECT position, mailbox, id, source, checksum, bytes
      FROM envelopes INDEXED BY envelopes_by_mailbox
      WHERE mailbox = ? AND position > ? ORDER BY position LIMIT ?`),
    size: db.prepare(`SELECT position, mailbox, source, accepted_at_ms, length(bytes) AS size
      FROM envelopes WHERE position = ? AND mailbox = ?`),
    oldest: db.prepare(`SELECT position, mailbox, source, accepted_at_ms, length(bytes) AS size
      FROM envelopes ORDER BY position LIMIT ?`),
    remove: db.prepare("DELETE FROM envelopes WHERE position = ?"),
  };
}
