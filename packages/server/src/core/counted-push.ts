import type { Metrics } from "../ports/metrics.ts";
import type { PushSender } from "../ports/push-sender.ts";

/** The same sender, counted. */
export function countedPush(push: PushSender, metrics: Metrics): PushSender {
  return {
    push: async (device) => {
      try {
        await push.push(device);
        metrics.pushed(true);
      } catch (cause) {
        metrics.pushed(false);
        throw cause;
      }
    },
  };
}
