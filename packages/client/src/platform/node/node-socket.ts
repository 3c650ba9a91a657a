import { CloseCode, SERVER_FRAME_BYTES_MAX } from "@parley/protocol";
import type { OpenSocket } from "../../ports/socket.ts";

const SOCKET_PATH = "v1/socket";
/** RFC 6455 section 7.4.1: no close frame came. */
const CLOSED_WITHOUT_WORD = 1006;

/** A WebSocket to `/v1/socket` below the server's URL: one binary message a frame. */
export const nodeSocket: OpenSocket = (serverUrl, events) => {
  const socket = new WebSocket(socketUrl(serverUrl));
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => events.opened());
  socket.addEventListener("message", (event) => {
    const data: unknown = event.data;
    if (data instanceof ArrayBuffer && data.byteLength <= SERVER_FRAME_BYTES_MAX)
      events.received(new Uint8Array(data));
    else socket.close(CloseCode.MALFORMED_FRAME, "a frame that is none, or too long");
  });
  // An `error` is always followed by `close`, which says as much as there is to know.
  socket.addEventListener("close", ({ code }) => events.closed(code || CLOSED_WITHOUT_WORD));
  return {
    send: (frame) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame as Uint8Array<ArrayBuffer>);
    },
    close: (code, reason) => socket.close(code, reason),
  };
};

export function socketUrl(serverUrl: string): string {
  const url = new URL(serverUrl);
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${SOCKET_PATH}`;
  url.search = "";
  url.hash = "";
  return url.href;
}
