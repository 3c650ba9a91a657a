import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  ProtocolError,
  type SendMessageRequest,
  type SendMessageResponseSchema,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import { deliveriesTo, type Stamp } from "../core/deliveries.ts";
import { isHeadOf, requireEveryDevice, wireHead } from "../core/device-list.ts";
import { type SendTiming, sendTiming } from "../core/send-timing.ts";
import { wake, wakeForMail } from "../core/wake.ts";
import { hexOf } from "../lib/bytes.ts";
import type { Account } from "../ports/account-store.ts";
import type { DeviceAddress } from "../ports/device-address.ts";
import type { AppendOutcome, Delivery } from "../ports/mailbox-store.ts";
import type { SendFailure } from "../ports/metrics.ts";

type Parts = Pick<
  Context,
  | "accounts"
  | "mailboxes"
  | "epochs"
  | "limits"
  | "clock"
  | "bus"
  | "push"
  | "log"
  | "metrics"
  | "tracer"
>;
type Response = MessageInitShape<typeof SendMessageResponseSchema>;

/** A list that changes between the comparison and the commit is compared again; once more is enough. */
const ATTEMPTS = 3;

/**
 * Accepts one message for every device of the recipient and every other device of the sender, straight into
 * their mailboxes (delivery.md 3). Answers once all of it is durable.
 */
export async function sendMessage(
  context: Parts,
  sender: DeviceAddress,
  request: SendMessageRequest,
): Promise<Response> {
  const timing = sendTiming(context.metrics, context.tracer);
  try {
    const counting = context.limits.spend("durableSendsPerMinute", sender.accountId);
    if (counting !== undefined) await counting;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const parties = await findParties(context, sender, request);
      if (parties === undefined) {
        noteFailed(context, timing, "unknown-account");
        return { outcome: { case: "unknownAccount", value: {} } };
      }
      const mismatch = compareHeads(parties, request);
      if (mismatch !== undefined) {
        noteFailed(context, timing, "device-list-mismatch");
        return mismatch;
      }
      const stamp: Stamp = { source: sender, acceptedAtMs: context.clock.now(), timing };
      const deliveries = deliveriesOf(parties, request, stamp);
      const { stateNumber } = request;
      const outcome = await context.mailboxes.append({ sender, stateNumber, deliveries });
      if (outcome.kind === "appended")
        return accepted(context, sender, { deliveries, outcome, timing });
    }
    throw new ProtocolError(ErrorCode.BUSY, "the lists of devices keep changing");
  } catch (cause) {
    noteFailed(context, timing, ProtocolError.from(cause).code);
    throw cause;
  }
}

function noteFailed({ metrics }: Parts, timing: SendTiming | undefined, reason: SendFailure): void {
  metrics.sendFailed(reason);
  timing?.trace?.failed(reason);
}

interface Parties {
  readonly own: Account;
  /** Undefined: to own devices only. */
  readonly recipient: Account | undefined;
}

async function findParties(
  { accounts }: Parts,
  sender: DeviceAddress,
  { recipientAccount }: SendMessageRequest,
): Promise<Parties | undefined> {
  const recipientId = recipientAccount.length === 0 ? undefined : hexOf(recipientAccount);
  if (recipientId === sender.accountId)
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, "own devices are named without a recipient");
  const [own, recipient] = await Promise.all([
    accounts.find(sender.accountId),
    recipientId === undefined ? undefined : accounts.find(recipientId),
  ]);
  if (own === undefined || !own.devices.some(({ deviceId }) => deviceId === sender.deviceId))
    throw new ProtocolError(ErrorCode.NOT_ALLOWED, "this device was removed");
  if (recipientId !== undefined && recipient === undefined) return undefined;
  return { own, recipient };
}

function compareHeads({ own, recipient }: Parties, request: SendMessageRequest) {
  const fits =
    isHeadOf(own, request.senderHead) &&
    (recipient === undefined || isHeadOf(recipient, request.recipientHead));
  if (fits) return undefined;
  const value = {
    senderHead: wireHead(own.head),
    ...(recipient && { recipientHead: wireHead(recipient.head) }),
  };
  return { outcome: { case: "deviceListMismatch" as const, value } };
}

function deliveriesOf(
  { own, recipient }: Parties,
  request: SendMessageRequest,
  stamp: Stamp,
): Delivery[] {
  const others = own.devices.filter(({ deviceId }) => deviceId !== stamp.source.deviceId);
  requireEveryDevice(idsOf(others), {
    envelopes: request.ownEnvelopes,
    leftOut: request.leftOutOwnDevices,
  });
  requireEveryDevice(idsOf(recipient?.devices ?? []), {
    envelopes: request.recipientEnvelopes,
    leftOut: request.leftOutRecipientDevices,
  });
  if (recipient !== undefined && request.recipientEnvelopes.length === 0)
    throw new ProtocolError(ErrorCode.MAILBOX_FULL, "every device of the recipient is left out");
  if (request.recipientEnvelopes.length + request.ownEnvelopes.length === 0)
    throw new ProtocolError(ErrorCode.INVALID_REQUEST, "a message without an envelope");
  return [
    ...(recipient ? deliveriesTo(recipient.accountId, request.recipientEnvelopes, stamp) : []),
    ...deliveriesTo(own.accountId, request.ownEnvelopes, stamp),
  ];
}

const idsOf = (devices: Account["devices"]) => devices.map(({ deviceId }) => deviceId);

interface Stored {
  readonly deliveries: readonly Delivery[];
  readonly outcome: AppendOutcome & { readonly kind: "appended" };
  readonly timing: SendTiming | undefined;
}

function accepted(
  context: Parts,
  sender: DeviceAddress,
  { deliveries, outcome: { mark, skipped }, timing }: Stored,
): Response {
  timing?.trace?.committed();
  context.metrics.accepted(deliveries.length - skipped.length);
  if (skipped.length > 0) context.metrics.skipped(skipped.length);
  const isSkipped = (device: DeviceAddress) => skipped.includes(device);
  const mailboxes = deliveries.map(({ mailbox }) => mailbox);
  wakeForMail(
    context,
    mailboxes.filter((mailbox) => !isSkipped(mailbox)),
  );
  wake(context, skipped, { kind: "account" });
  const skippedOf = (isOwn: boolean) =>
    skipped
      .filter(({ accountId }) => (accountId === sender.accountId) === isOwn)
      .map(({ deviceId }) => deviceId);
  timing?.trace?.accepted();
  return {
    outcome: {
      case: "accepted",
      value: {
        epoch: context.epochs.current().id,
        mark,
        skippedRecipientDevices: skippedOf(false),
        skippedOwnDevices: skippedOf(true),
      },
    },
  };
}
