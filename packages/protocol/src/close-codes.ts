/**
 * Why a connection ended (WebSocket close codes, RFC 6455 section 7.4). What to do stands in the range, so a
 * client can act on a code that is newer than itself:
 * 4000–4099 reconnect with back-off · 4100–4199 reconnect at once · 4200–4299 do not reconnect by yourself.
 */
export const CloseCode = {
  /** Standard: done. */
  NORMAL: 1000,
  /** Standard: the server is stopping; reconnect with back-off. */
  SERVICE_RESTART: 1012,

  /** Nothing was heard for too long. */
  IDLE: 4000,
  /** A frame that is none, or too long. */
  MALFORMED_FRAME: 4001,
  /** The other side takes no more data: its socket's buffer stood above the limit. Its mail is kept. */
  SLOW_READER: 4002,
  /** A fault of the server's own. */
  INTERNAL: 4003,
  /** Too many connections, or too many requests at once. */
  OVERLOADED: 4004,
  /** No login within the time for it. */
  LOGIN_TIMEOUT: 4005,

  /** Take the newest welcome again. */
  RESUME: 4100,

  /** A newer connection of the same device took over. */
  REPLACED: 4200,
  /** Login refused: unknown or removed device, wrong signature, origin or challenge. */
  LOGIN_REFUSED: 4201,
  /** No protocol version in common: update. */
  VERSION_NOT_SUPPORTED: 4202,
  /** This device was removed from its account. */
  DEVICE_REMOVED: 4203,
} as const;

export type Reconnect = "with-back-off" | "at-once" | "never";

/** What a client does about the end of a connection. Standard codes, and none at all, mean back-off. */
export function reconnectAfter(closeCode: number): Reconnect {
  if (closeCode >= 4200 && closeCode < 4300) return "never";
  if (closeCode >= 4100 && closeCode < 4200) return "at-once";
  return "with-back-off";
}
