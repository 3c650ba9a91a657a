import { fromBinary } from "@bufbuild/protobuf";
import { EnvelopeSchema, envelopeBytesOfRow, toHex } from "@parley/protocol";
import type { Ports } from "@parley/server";
import type { History } from "../checker/history.ts";

/** Writes down which envelopes leave which mailbox. Rows name envelopes only once somebody has read them. */
export function watchMailboxes(
  ports: Ports,
  history: History,
  nameOf: (accountId: string) => string,
): Ports {
  const { mailboxes } = ports;
  const envelopes = new Map<string, string>();
  return {
    ...ports,
    mailboxes: {
      append: (send) => mailboxes.append(send),
      seen: (mailbox, stateNumber) => mailboxes.seen(mailbox, stateNumber),
      state: (mailbox) => mailboxes.state(mailbox),
      clearSkipped: (mailbox) => mailboxes.clearSkipped(mailbox),
      open: (mailbox) => {
        const reader = mailboxes.open(mailbox);
        return {
          next: async (limit) => {
            const found = await reader.next(limit);
            for (const { row, bytes } of found) envelopes.set(row, envelopeIdOf(bytes));
            return found;
          },
        };
      },
      remove: (mailbox, rows) => {
        history.add("server", {
          f: "remove",
          mailbox: nameOf(mailbox.accountId),
          envelopes: rows.map((row) => envelopes.get(row) ?? `a row that nobody read: ${row}`),
        });
        return mailboxes.remove(mailbox, rows);
      },
    },
  };
}

export function envelopeIdOf(row: Uint8Array): string {
  return toHex(fromBinary(EnvelopeSchema, envelopeBytesOfRow(row)).id);
}
