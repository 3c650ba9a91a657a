import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Server } from "../server.ts";
import { handshake } from "./handshake.ts";
import { SocketLoop } from "./socket-loop.ts";
import { SocketTransport } from "./socket-transport.ts";

const BEAT_MS = 1_000;

/** A socket, and what serves it: one property in place of a closure for each event. */
interface ServedSocket extends Socket {
  [TRANSPORT]?: SocketTransport;
}
const TRANSPORT = Symbol("transport");

/**
 * Binary WebSocket messages, one frame of the protocol each (RFC 6455), on sockets that Node's HTTP server
 * hands over. Framing is our own: docs/decisions/0006-own-websocket-framing.md. Without compression:
 * ciphertext does not shrink.
 */
export function attachWebSocket(http: HttpServer, server: Server): { close(): Promise<void> } {
  const loop = new SocketLoop({
    afterThisTurn: (run) => process.nextTick(run),
    nextTurn: (run) => void setImmediate(run),
  });
  // The request is not kept: headers and address of an idle connection are several kilobytes.
  http.on("upgrade", (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const socket: ServedSocket = duplex as Socket;
    socket.removeAllListeners();
    socket.on("error", ignore); // A close follows, with what there is to say.
    const { kind, response } = handshake(request);
    if (kind === "refused") {
      socket.end(response);
      return;
    }
    serve(socket, { server, loop, response });
    if (head.length > 0) socket[TRANSPORT]?.received(head);
  });
  const beating = setInterval(() => loop.beat(), BEAT_MS);
  beating.unref();
  return {
    /** Resolves once every socket is closed; whoever closes them is the server that is drained. */
    close: async () => {
      await loop.empty();
      clearInterval(beating);
    },
  };
}

interface Serving {
  readonly server: Server;
  readonly loop: SocketLoop;
  readonly response: string;
}

function serve(socket: ServedSocket, { server, loop, response }: Serving): void {
  const transport = new SocketTransport(socket, loop);
  socket[TRANSPORT] = transport;
  loop.add(transport);
  socket.cork();
  socket.write(response, "latin1");
  transport.serve(server.accept(transport));
  transport.flush();
  socket.uncork();
  socket.on("data", onData);
  socket.on("drain", onDrain);
  socket.on("end", onEnd);
  socket.on("close", onClose);
}

function onData(this: ServedSocket, chunk: Buffer): void {
  this[TRANSPORT]?.received(chunk);
}

function onDrain(this: ServedSocket): void {
  this[TRANSPORT]?.drained();
}

function onEnd(this: ServedSocket): void {
  this[TRANSPORT]?.ended();
}

function onClose(this: ServedSocket): void {
  this[TRANSPORT]?.closed();
}

function ignore(): void {}
