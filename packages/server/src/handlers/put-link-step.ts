import { type PutLinkStepRequest, toHex } from "@parley/protocol";
import type { Context } from "../context.ts";

/** Leaves a sealed step of linking at its random address. */
export async function putLinkStep(
  { linkSteps, rateLimiter }: Pick<Context, "linkSteps" | "rateLimiter">,
  { address, step, payload }: PutLinkStepRequest,
): Promise<Record<string, never>> {
  await rateLimiter.spend("link", toHex(address));
  linkSteps.put(toHex(address), step, payload);
  return {};
}
