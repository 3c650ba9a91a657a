import { type Challenge, CloseCode } from "@parley/protocol";
import { Channel, type ChannelParts } from "./channel.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import type { AnswerOf, RequestCase, RequestOf } from "./requests.ts";

/** One request on a connection of its own, before there is a login. Rejects as `Connection.request`. */
export async function askOnce<C extends RequestCase>(
  parts: ChannelParts,
  name: C,
  requestFor: (challenge: Challenge) => Promise<RequestOf<C>>,
): Promise<AnswerOf<C>> {
  const { promise: challenged, resolve, reject } = Promise.withResolvers<Challenge>();
  const channel = new Channel(parts, {
    challenged: resolve,
    told: () => {},
    heard: () => {},
    ended: () => reject(new ConnectionLostError("the server cannot be reached")),
  });
  try {
    return await channel.request(name, await requestFor(await challenged));
  } finally {
    channel.close(CloseCode.NORMAL, "done");
  }
}
