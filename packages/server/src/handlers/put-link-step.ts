import { type PutLinkStepRequest, toHex } from "@parley/protocol";
import type { Context } from "../context.ts";
import type { Visitor } from "../core/login.ts";

/** Leaves a sealed step of linking at its random address. */
export async function putLinkStep(
  { linkSteps, limits }: Pick<Context, "linkSteps" | "limits">,
  { addressKey }: Pick<Visitor, "addressKey">,
  { address, step, payload }: PutLinkStepRequest,
): Promise<Record<string, never>> {
  // A transport without addresses has one line for each: the place to which it leads.
  await limits.spend("linkStepsPerAddressPerMinute", addressKey ?? toHex(address));
  linkSteps.put(toHex(address), step, payload);
  return {};
}
