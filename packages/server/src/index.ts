export { type EmbeddedOptions, type EmbeddedServer, openEmbedded } from "./compose.ts";
export type { Clock } from "./ports/clock.ts";
export type { Log } from "./ports/log.ts";
export type { Ports } from "./ports/ports.ts";
export type { Random } from "./ports/random.ts";
export type { Transport } from "./ports/transport.ts";
export type { Wakeup, WakeupBus } from "./ports/wakeup-bus.ts";
export type { Accepted, Server } from "./server.ts";
export { SETTINGS_DEFAULT, type ServerSettings } from "./settings.ts";
