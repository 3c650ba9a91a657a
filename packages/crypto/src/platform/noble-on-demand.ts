import type { AsyncProvider } from "../operation.ts";

/**
 * JavaScript's primitives, loaded when one is first asked for: 14 KB that a browser with all of WebCrypto never
 * fetches.
 */
export const nobleOnDemand: AsyncProvider = {
  async answer(call) {
    const { nobleProvider } = await import("../primitives/noble-provider.ts");
    return nobleProvider.answer(call);
  },
};
