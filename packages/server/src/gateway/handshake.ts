import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";

export const SOCKET_PATH = "/v1/socket";

const VERSION = "13";
/** RFC 6455 section 1.3. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

export type Handshake =
  | { readonly kind: "accepted"; readonly response: string }
  | { readonly kind: "refused"; readonly response: string };

/** The answer to a request for a WebSocket (RFC 6455 section 4.2). No extension and no subprotocol is taken. */
export function handshake({ method, url = "/", headers }: IncomingMessage): Handshake {
  if (url.split("?", 1)[0] !== SOCKET_PATH) return refused("404 Not Found");
  if (method !== "GET") return refused("405 Method Not Allowed", "Allow: GET\r\n");
  if (headers.upgrade?.toLowerCase() !== "websocket") return refused("400 Bad Request");
  if (headers["sec-websocket-version"] !== VERSION)
    return refused("426 Upgrade Required", `Sec-WebSocket-Version: ${VERSION}\r\n`);
  const key = headers["sec-websocket-key"];
  if (key === undefined || !KEY.test(key)) return refused("400 Bad Request");
  const accept = createHash("sha1").update(key).update(ACCEPT_SUFFIX).digest("base64");
  return {
    kind: "accepted",
    response:
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  };
}

/** `more`: header lines, each with its end. */
export function refused(status: string, more = ""): Handshake {
  const response = `HTTP/1.1 ${status}\r\n${more}Connection: close\r\nContent-Length: 0\r\n\r\n`;
  return { kind: "refused", response };
}
