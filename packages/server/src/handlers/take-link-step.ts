import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  ProtocolError,
  type TakeLinkStepRequest,
  type TakeLinkStepResponseSchema,
  toHex,
} from "@parley/protocol";
import type { Context } from "../context.ts";

/** Answers when the step is there, or as not found once the asker's patience is over. */
export async function takeLinkStep(
  { linkSteps, rateLimiter }: Pick<Context, "linkSteps" | "rateLimiter">,
  { address, step, waitMs }: TakeLinkStepRequest,
): Promise<MessageInitShape<typeof TakeLinkStepResponseSchema>> {
  await rateLimiter.spend("link", toHex(address));
  const payload = await linkSteps.take(toHex(address), step, waitMs);
  if (payload === undefined) throw new ProtocolError(ErrorCode.NOT_FOUND, "this step has not come");
  return { payload };
}
