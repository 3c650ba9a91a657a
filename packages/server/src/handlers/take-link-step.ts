import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  ProtocolError,
  type TakeLinkStepRequest,
  type TakeLinkStepResponseSchema,
  toHex,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import type { Visitor } from "../core/login.ts";

/** Answers when the step is there, or as not found once the asker's patience is over. */
export async function takeLinkStep(
  { linkSteps, limits }: Pick<Context, "linkSteps" | "limits">,
  { addressKey }: Pick<Visitor, "addressKey">,
  { address, step, waitMs }: TakeLinkStepRequest,
): Promise<MessageInitShape<typeof TakeLinkStepResponseSchema>> {
  // A transport without addresses has one line for each: the place to which it leads.
  await limits.spend("linkStepsPerAddressPerMinute", addressKey ?? toHex(address));
  const payload = await linkSteps.take(toHex(address), step, waitMs);
  if (payload === undefined) throw new ProtocolError(ErrorCode.NOT_FOUND, "this step has not come");
  return { payload };
}
