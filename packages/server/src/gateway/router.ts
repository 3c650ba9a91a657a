import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ClientFrame,
  ErrorCode,
  ProtocolError,
  type ServerFrameSchema,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import type { DeviceSession } from "../core/device-session.ts";
import type { Visitor } from "../core/login.ts";
import { ackEnvelopes } from "../handlers/ack-envelopes.ts";
import { appendAccountEntry } from "../handlers/append-account-entry.ts";
import { clearSkipped } from "../handlers/clear-skipped.ts";
import { drainMailbox } from "../handlers/drain-mailbox.ts";
import { fetchAccountChain } from "../handlers/fetch-account-chain.ts";
import { fetchPrekeyBundles } from "../handlers/fetch-prekey-bundles.ts";
import { fetchProfile } from "../handlers/fetch-profile.ts";
import { lookUpHandle } from "../handlers/look-up-handle.ts";
import { putLinkStep } from "../handlers/put-link-step.ts";
import { sendLive } from "../handlers/send-live.ts";
import { sendMessage } from "../handlers/send-message.ts";
import { setPresence } from "../handlers/set-presence.ts";
import { setProfile } from "../handlers/set-profile.ts";
import { takeLinkStep } from "../handlers/take-link-step.ts";
import { uploadPrekeys } from "../handlers/upload-prekeys.ts";
import { watchPresence } from "../handlers/watch-presence.ts";

export type Answer = NonNullable<MessageInitShape<typeof ServerFrameSchema>["response"]>;

/** The answer of a request by a device that is logged in; undefined where it has none, or comes by itself. */
export async function route(
  context: Context,
  session: DeviceSession,
  { requestId, request }: ClientFrame,
  visitor: Pick<Visitor, "addressKey">,
): Promise<Answer | undefined> {
  const { address } = session;
  switch (request.case) {
    case "sendMessage":
      return { case: request.case, value: await sendMessage(context, address, request.value) };
    case "ack":
      ackEnvelopes(context, session, request.value);
      return undefined;
    case "drain":
      await drainMailbox(context, session, requestId);
      return undefined;
    case "sendLive":
      await sendLive(context, address, request.value);
      return undefined;
    case "uploadPrekeys":
      return { case: request.case, value: await uploadPrekeys(context, address, request.value) };
    case "fetchPrekeyBundles":
      return {
        case: request.case,
        value: await fetchPrekeyBundles(context, address, request.value),
      };
    case "lookUpHandle":
      return { case: request.case, value: await lookUpHandle(context, address, request.value) };
    case "fetchAccountChain":
      return {
        case: request.case,
        value: await fetchAccountChain(context, address, request.value),
      };
    case "appendAccountEntry":
      return {
        case: request.case,
        value: await appendAccountEntry(context, session, request.value),
      };
    case "clearSkipped":
      return { case: request.case, value: await clearSkipped(context, address) };
    case "setProfile":
      return { case: request.case, value: await setProfile(context, address, request.value) };
    case "fetchProfile":
      return { case: request.case, value: await fetchProfile(context, address, request.value) };
    case "setPresence":
      return { case: request.case, value: await setPresence(context, session, request.value) };
    case "watchPresence":
      return { case: request.case, value: await watchPresence(context, session, request.value) };
    case "putLinkStep":
    case "takeLinkStep":
      return routeLinkStep(context, visitor, request);
    case "signUp":
    case "startRecovery":
    case "hello":
      throw new ProtocolError(ErrorCode.OUT_OF_TURN, "this connection is logged in");
    case "setPushEndpoint":
    case undefined:
      throw new ProtocolError(ErrorCode.UNSUPPORTED, "this server does not do that");
  }
}

type LinkStep = Extract<ClientFrame["request"], { case: "putLinkStep" | "takeLinkStep" }>;

/** Linking is for devices that cannot log in yet, and for those that let them in. */
export async function routeLinkStep(
  context: Context,
  visitor: Pick<Visitor, "addressKey">,
  request: LinkStep,
): Promise<Answer> {
  return request.case === "putLinkStep"
    ? { case: request.case, value: await putLinkStep(context, visitor, request.value) }
    : { case: request.case, value: await takeLinkStep(context, visitor, request.value) };
}

export function isLinkStep(request: ClientFrame["request"]): request is LinkStep {
  return request.case === "putLinkStep" || request.case === "takeLinkStep";
}
