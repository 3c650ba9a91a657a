import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Server } from "../server.ts";
import type { Arrival } from "./admission.ts";
import { type Handshake, handshake, refused } from "./handshake.ts";
import { BEAT_MS, SocketLoop } from "./socket-loop.ts";
import { SocketTransport } from "./socket-transport.ts";

const ARRIVAL = Symbol("arrival");
const FORWARDED = Symbol("forwarded");
const TRANSPORT = Symbol("transport");
/** Long enough that a crowd which was refused is not back at once. */
const RETRY_AFTER_SECONDS = 10;
/** Beside those of clients: they are told when they are too many. More sockets are cut off as they come. */
const OTHER_SOCKETS_MAX = 256;
const TOO_MANY = refused("429 Too Many Requests", `Retry-After: ${RETRY_AFTER_SECONDS}\r\n`);

/** A socket, and what belongs to it: properties in place of a closure for each event. */
interface ServedSocket extends Socket {
  [ARRIVAL]?: Arrival;
  /** The client's address, where a proxy has told it. */
  [FORWARDED]?: string;
  [TRANSPORT]?: SocketTransport;
}

/**
 * Binary WebSocket messages, one frame of the protocol each (RFC 6455), on sockets that Node's HTTP server
 * hands over. Framing is our own: docs/decisions/0006-own-websocket-framing.md. Without compression:
 * ciphertext does not shrink.
 */
export function attachWebSocket(http: HttpServer, server: Server): { close(): Promise<void> } {
  const loop = new SocketLoop(
    {
      afterThisTurn: (run) => process.nextTick(run),
      nextTurn: (run) => void setImmediate(run),
      now: () => performance.now(),
    },
    server.socketLimits,
  );
  http.maxConnections = server.socketLimits.connectionsMax + OTHER_SOCKETS_MAX;
  const beating = setInterval(() => loop.beat(), BEAT_MS);
  beating.unref();
  // A proxy's sockets are its clients': each counts for the address that its request names.
  http.on("connection", (socket: ServedSocket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || server.admission.proxies.has(remoteAddress)) return;
    if (!arrive(socket, server, remoteAddress)) socket.destroy();
  });
  // The request is not kept: headers and address of an idle connection are several kilobytes.
  http.on("upgrade", (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const socket: ServedSocket = duplex as Socket;
    socket.removeAllListeners();
    socket.on("error", ignore); // A close follows, with what there is to say.
    socket.on("close", onClose);
    const answer = admit(socket, server, request);
    loop.later({ turn: () => open(socket, answer, { server, loop, head }) });
  });
  return {
    /** Resolves once every socket is closed; whoever closes them is the server that is drained. */
    close: async () => {
      await loop.empty();
      clearInterval(beating);
    },
  };
}

function admit(socket: ServedSocket, server: Server, request: IncomingMessage): Handshake {
  if (socket[ARRIVAL] === undefined) {
    const { proxies } = server.admission;
    const client = proxies.clientOf(socket.remoteAddress ?? "", request.headers);
    if (client !== socket.remoteAddress) socket[FORWARDED] = client;
    // A proxy that names nobody is not counted: many stand behind it.
    if (!proxies.has(client) && !arrive(socket, server, client)) return TOO_MANY;
  }
  return socket[ARRIVAL]?.isRefused ? TOO_MANY : handshake(request);
}

/** False: it is one too many, and is not counted. */
function arrive(socket: ServedSocket, server: Server, address: string): boolean {
  const arrival = server.admission.arrive(address);
  if (arrival === undefined) return false;
  socket[ARRIVAL] = arrival;
  if (!socket.listeners("close").includes(onClose)) socket.on("close", onClose);
  return true;
}

interface Serving {
  readonly server: Server;
  readonly loop: SocketLoop;
  /** What came behind the request. */
  readonly head: Uint8Array;
}

function open(
  socket: ServedSocket,
  { kind, response }: Handshake,
  { server, loop, head }: Serving,
): void {
  if (socket.destroyed) return;
  if (kind === "refused") {
    socket.write(response);
    socket.destroySoon();
    return;
  }
  const transport = new SocketTransport(socket, loop, socket[FORWARDED]);
  socket[TRANSPORT] = transport;
  // Once both sides are done, Node ends the socket by itself.
  socket.allowHalfOpen = false;
  loop.add(transport);
  socket.cork();
  socket.write(response, "latin1");
  transport.serve(server.accept(transport));
  transport.flush();
  socket.uncork();
  socket.on("data", onData);
  if (head.length > 0) transport.received(head);
}

function onData(this: ServedSocket, chunk: Buffer): void {
  this[TRANSPORT]?.received(chunk);
}

function onClose(this: ServedSocket): void {
  this[ARRIVAL]?.leave();
  this[TRANSPORT]?.closed();
}

function ignore(): void {}
