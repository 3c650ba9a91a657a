import { create } from "@bufbuild/protobuf";
import {
  DeliveryClass,
  type Envelope,
  EnvelopeSchema,
  ErrorCode,
  encodeServerFrame,
  fromHex,
  ProtocolError,
  type SendLiveRequest,
  toHex,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import { wake } from "../core/wake.ts";
import type { DeviceAddress } from "../ports/device-address.ts";

/** 0x01 || key id 4 || nonce 12 || 64 bytes sealed || tag 16 (trust.md 5). */
const LIVE_FRAME_BYTES = 97;
const LIVE_FRAME_KIND = 0x01;

/** Hands a live frame to what is connected of the recipient's devices. Never stored, not answered. */
export async function sendLive(
  context: Pick<Context, "accounts" | "limits" | "clock" | "bus" | "log">,
  sender: DeviceAddress,
  { recipient, envelope }: SendLiveRequest,
): Promise<void> {
  if (recipient.case !== "accountId")
    throw new ProtocolError(ErrorCode.UNSUPPORTED, "no groups here yet");
  checkLiveEnvelope(envelope as Envelope);
  const accountId = toHex(recipient.value);
  await context.limits.spend("liveFramesPerMinute", `${sender.accountId} ${accountId}`);
  const account = await context.accounts.find(accountId);
  if (account === undefined) return;
  const { id, ciphertext } = envelope as Envelope;
  const stamped = create(EnvelopeSchema, {
    id,
    deliveryClass: DeliveryClass.LIVE,
    ciphertext,
    sourceAccount: fromHex(sender.accountId),
    sourceDevice: sender.deviceId,
    acceptedAtMs: BigInt(context.clock.now()),
  });
  const frame = encodeServerFrame({ response: { case: "live", value: { envelope: stamped } } });
  const devices = account.devices.map(({ deviceId }) => ({ accountId, deviceId }));
  wake(context, devices, { kind: "live", frame });
}

function checkLiveEnvelope({ deliveryClass, destinationDevice, ciphertext }: Envelope): void {
  const isLive =
    deliveryClass === DeliveryClass.LIVE &&
    destinationDevice === 0 &&
    ciphertext.length === LIVE_FRAME_BYTES &&
    ciphertext[0] === LIVE_FRAME_KIND;
  if (!isLive) throw new ProtocolError(ErrorCode.INVALID_REQUEST, "not a live frame");
}
