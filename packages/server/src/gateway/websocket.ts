import { once } from "node:events";
import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { CLIENT_FRAME_BYTES_MAX, CloseCode } from "@parley/protocol";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { Server } from "../server.ts";

export const SOCKET_PATH = "/v1/socket";
/** Below the minute after which many middle boxes forget a silent connection. */
const PING_EVERY_MS = 30_000;
/** For the other side to answer a close before the socket is cut. */
const CLOSE_PATIENCE_MS = 2_000;

/**
 * Binary WebSocket messages, one frame each (RFC 6455). Without compression: ciphertext does not shrink, and
 * its state costs a quarter of a megabyte for each connection.
 */
export function attachWebSocket(http: HttpServer, server: Server): { close(): Promise<void> } {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: true,
    maxPayload: CLIENT_FRAME_BYTES_MAX,
  });
  http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (pathOf(request) !== SOCKET_PATH) return refuse(socket);
    // The request is not kept: headers and address of an idle connection are several kilobytes.
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      serve(server, webSocket, socket as Socket),
    );
  });
  const pinging = setInterval(() => {
    for (const webSocket of sockets.clients) pingOrEnd(webSocket);
  }, PING_EVERY_MS);
  pinging.unref();
  return {
    /** Resolves once every socket is closed; whoever closes them is the server that is drained. */
    close: async () => {
      clearInterval(pinging);
      await Promise.all([...sockets.clients].map((webSocket) => once(webSocket, "close")));
    },
  };
}

/** Those that were pinged and have said nothing since. */
const silent = new WeakSet<WebSocket>();

function serve(server: Server, webSocket: WebSocket, socket: Socket): void {
  const writes = corked(socket);
  const accepted = server.accept({
    send: (frame) => {
      if (webSocket.readyState !== WebSocket.OPEN) return;
      writes.join();
      webSocket.send(frame);
    },
    close: (code, reason) => {
      webSocket.close(code, reason);
      setTimeout(() => webSocket.terminate(), CLOSE_PATIENCE_MS).unref();
    },
    bufferedBytes: () => webSocket.bufferedAmount,
    probe: () => pingOrEnd(webSocket),
  });
  webSocket.on("message", (data: RawData, isBinary: boolean) => {
    silent.delete(webSocket);
    if (isBinary) accepted.receive(data as Buffer);
    else webSocket.close(CloseCode.MALFORMED_FRAME, "frames are binary");
  });
  webSocket.on("pong", () => silent.delete(webSocket));
  webSocket.on("error", () => undefined); // A close follows, with what there is to say.
  webSocket.on("close", () => accepted.closed());
}

/** One write for everything that is sent in one turn, such as all that one commit brought. */
function corked(socket: Socket): { join(): void } {
  let isCorked = false;
  return {
    join: () => {
      if (isCorked) return;
      isCorked = true;
      socket.cork();
      process.nextTick(() => {
        isCorked = false;
        socket.uncork();
      });
    },
  };
}

function pingOrEnd(webSocket: WebSocket): void {
  if (silent.has(webSocket)) webSocket.terminate();
  else {
    silent.add(webSocket);
    webSocket.ping();
  }
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] as string;
}

function refuse(socket: Duplex): void {
  socket.on("error", () => undefined);
  socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}
