import { fromBinary } from "@bufbuild/protobuf";
import { ENVELOPE_LIFETIME_MS, fromHex, type Welcome } from "@parley/protocol";
import { refOf } from "../conversation/entry-ref.ts";
import type { EntryPoint } from "../conversation/keys.ts";
import type { Ledger } from "../conversation/ledger.ts";
import { ChainRecordSchema } from "../gen/parley/store/v1/conversation_pb.ts";
import { putDue } from "../receipts/due.ts";
import { lastEpoch } from "../store/last-epoch.ts";
import { bringsNews, type EpochNews, isLostWithEpoch } from "./lost-with-epoch.ts";
import type { Outbox } from "./outbox.ts";
import { allAccepted, dropAccepted } from "./outbox-row.ts";

/**
 * What the epochs of a welcome demand (delivery.md 5), in the transaction that remembers the last of them:
 * own entries that the server lost are offered again, oldest first, spread over the time that it names;
 * receipts that it lost are due again. Returns the accounts to which they are.
 */
export async function offerAgain(
  outbox: Outbox,
  ledger: Ledger,
  { welcome, nowMs }: { readonly welcome: Welcome; readonly nowMs: number },
): Promise<Set<string>> {
  const { tx } = ledger;
  const news = { epochs: welcome.epochs, judged: await lastEpoch(tx) };
  if (!bringsNews(news)) return new Set();
  const lost = await takeLost(ledger, news, nowMs);
  for (const [index, point] of lost.entries()) {
    const afterMs = Math.floor((welcome.reofferSpreadMs * index) / lost.length);
    await outbox.put(
      ledger,
      {
        recipientAccount: fromHex(point.conversation),
        content: { case: "entry", value: refOf(point) },
        reoffered: true,
      },
      afterMs,
    );
  }
  return await receiptsDueAgain(ledger, news);
}

async function takeLost({ tx }: Ledger, news: EpochNews, nowMs: number): Promise<EntryPoint[]> {
  const lost: { readonly point: EntryPoint; readonly atMs: number }[] = [];
  for (const { point, record } of await allAccepted(tx)) {
    const atMs = Number(record.acceptedAtMs);
    const isOld = nowMs - atMs > ENVELOPE_LIFETIME_MS;
    const isLost = record.accepted !== undefined && isLostWithEpoch(record.accepted, news);
    if (isOld || isLost) dropAccepted(tx, point);
    if (isLost && !isOld) lost.push({ point, atMs });
  }
  return lost
    .sort((a, b) => a.atMs - b.atMs || a.point.counter - b.point.counter)
    .map(({ point }) => point);
}

async function receiptsDueAgain({ tx }: Ledger, news: EpochNews): Promise<Set<string>> {
  const accounts = new Set<string>();
  for (const { key, value } of await tx.range("chains", {})) {
    const { receiptAccepted } = fromBinary(ChainRecordSchema, value);
    if (receiptAccepted === undefined || !isLostWithEpoch(receiptAccepted, news)) continue;
    const [conversation, chain] = key.split("/") as [string, string];
    putDue(tx, conversation, chain);
    accounts.add(conversation);
  }
  return accounts;
}
