import { Messenger } from "@parley/client";
import * as node from "@parley/client/node";

const [serverUrl = "", handle = "echo", folder = "echo-bot"] = process.argv.slice(2);
const passphrase = process.env["PARLEY_PASSPHRASE"] ?? "";
const store = await node.openNodeStore({ folder, passphrase });
const { nodeSocket: openSocket, nodeCrypto: crypto, systemClock: clock } = node;
const ports = { store, openSocket, crypto, clock, random: node.systemRandom };
const bot = await Messenger.open({ serverUrl, ...ports });
if (!bot.account) console.log(await bot.signUp({ handle }));
bot.start();
for (;;) {
  const { promise: arrival, resolve } = Promise.withResolvers<void>();
  const unsubscribe = bot.on((event) => event.type === "message" && resolve());
  for (const { messageId, conversation, content } of await bot.unread()) {
    if (content.kind === "text") await bot.sendText(conversation, content.text);
    await bot.markRead([messageId]);
  }
  await arrival.finally(unsubscribe);
}
