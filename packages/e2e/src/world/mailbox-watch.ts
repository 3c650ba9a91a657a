import { fromBinary } from "@bufbuild/protobuf";
import { EnvelopeSchema, envelopeBytesOfRow, toHex } from "@parley/protocol";
import type { Ports } from "@parley/server";
import type { History } from "../checker/history.ts";
import type { ServerHostParts } from "./server-host.ts";

/** Writes down which envelopes leave which mailbox. Rows name envelopes only once somebody has read them. */
export function watchMailboxes(
  ports: Ports,
  history: History,
  { nameOf, isHostile }: Pick<ServerHostParts, "nameOf" | "isHostile">,
): Ports {
  const { mailboxes } = ports;
  const envelopes = new WeakMap<object, string>();
  const open: typeof mailboxes.open = (mailbox) => {
    const reader = mailboxes.open(mailbox);
    return {
      next: async (limit) => {
        const found = await reader.next(limit);
        for (const { row, bytes } of found) envelopes.set(row, envelopeIdOf(bytes));
        return found;
      },
    };
  };
  const remove: typeof mailboxes.remove = (mailbox, rows) => {
    const name = nameOf(mailbox.accountId);
    if (isHostile(name)) return mailboxes.remove(mailbox, rows);
    history.add("server", {
      f: "remove",
      mailbox: name,
      envelopes: rows.map((row) => envelopes.get(row) ?? "a row that nobody read"),
    });
    return mailboxes.remove(mailbox, rows);
  };
  return { ...ports, mailboxes: withOwn(mailboxes, { open, remove }) };
}

/** Writes down what the real store says to be durable, whatever is put round it. */
export function watchDurable(ports: Ports, history: History): Ports {
  const { mailboxes } = ports;
  const append: typeof mailboxes.append = async (send) => {
    const outcome = await mailboxes.append(send);
    if (outcome.kind === "appended") {
      const envelopes = send.deliveries.map(({ envelopeId }) => envelopeId);
      history.add("server", { f: "stored", envelopes });
    }
    return outcome;
  };
  return { ...ports, mailboxes: withOwn(mailboxes, { append }) };
}

/** The object with some of its methods replaced; the others run on the object itself. */
export function withOwn<T extends object>(object: T, own: Partial<T>): T {
  return new Proxy(object, {
    get: (target, name) => {
      const holder = name in own ? own : target;
      const value: unknown = Reflect.get(holder, name);
      return typeof value === "function" ? value.bind(holder) : value;
    },
  });
}

export function envelopeIdOf(row: Uint8Array): string {
  return toHex(fromBinary(EnvelopeSchema, envelopeBytesOfRow(row)).id);
}
