import { create, toBinary } from "@bufbuild/protobuf";
import { type AccountHead, fromHex, ProtocolError, SignalSchema } from "@parley/protocol";
import type { Outbox } from "../outbox/outbox.ts";
import { onLedger, ownAddress, type Parts } from "../parts.ts";
import type { QuotedHeads } from "./batch.ts";

/**
 * A head that a wrapper quoted and that was not known: fetch, and compare (trust.md 3). Where it stands in no
 * chain, somebody was shown a false list: nothing more goes there, and the person is told. Of one's own chain
 * the sender is told too.
 */
export async function checkQuoted(
  parts: Parts & { readonly outbox: Outbox },
  { from, sender, own }: QuotedHeads,
): Promise<void> {
  try {
    if (sender !== undefined && (await isFalse(parts, from.accountId, sender)))
      parts.outbox.hold(from.accountId);
    const ownAccount = ownAddress(parts).accountId;
    if (own !== undefined && (await isFalse(parts, ownAccount, own))) {
      parts.emit({ type: "alarm", kind: "false-list", about: ownAccount });
      await sendWord(parts, from, own);
    }
  } catch (cause) {
    // The list cannot be had now; the next message quotes it again.
    if (!(cause instanceof ProtocolError)) throw cause;
  }
}

async function isFalse(parts: Parts, accountId: string, head: AccountHead): Promise<boolean> {
  const { directory, transactor } = parts.device;
  await directory.refresh(accountId);
  const standing = await transactor.transact((tx) => directory.standingOf(tx, accountId, head));
  return standing === "contradicts" || standing === "newer";
}

async function sendWord(
  parts: Parts & { readonly outbox: Outbox },
  to: QuotedHeads["from"],
  head: AccountHead,
): Promise<void> {
  const { era, version, hash } = head;
  const signal = create(SignalSchema, {
    kind: { case: "falseList", value: { head: { era, version, hash } } },
  });
  await onLedger(parts, (ledger) =>
    parts.outbox.put(ledger, {
      recipientAccount: fromHex(to.accountId),
      content: { case: "signal", value: toBinary(SignalSchema, signal) },
      onlyDevice: to.deviceId,
    }),
  );
}
