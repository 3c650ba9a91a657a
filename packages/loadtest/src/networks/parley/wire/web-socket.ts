import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { clientFrame, MASK_KEY_BYTES, OPCODE } from "./client-frame.ts";
import { FrameReader } from "./frame-reader.ts";

/** RFC 6455 section 1.3. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const HEAD_END = "\r\n\r\n";

export interface SocketHandlers {
  /** A binary message; the bytes are gone after the call. */
  message(bytes: Buffer, start: number, end: number): void;
  /** Everything of one read was handed over. */
  read?(): void;
  /** The payload of the ping that it answers. */
  pong?(payload: Buffer): void;
  closed(reason: string): void;
}

/**
 * A WebSocket client that costs next to nothing: one mask key a connection, so that frames can be made
 * beforehand and written as they are. For loads on loopback only; a browser's key must be unpredictable.
 */
export class WebSocketClient {
  readonly maskKey: Uint8Array = randomBytes(MASK_KEY_BYTES);
  readonly #socket: net.Socket;
  #handlers: SocketHandlers;
  #isClosed = false;

  private constructor(socket: net.Socket, handlers: SocketHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
  }

  static async open(
    port: number,
    path: string,
    handlers: SocketHandlers,
  ): Promise<WebSocketClient> {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    const client = new WebSocketClient(socket, handlers);
    const early = await upgrade(socket, path, port);
    const reader = new FrameReader((opcode, bytes, start, end) =>
      client.#frame(opcode, bytes, start, end),
    );
    socket.on("data", (chunk: Buffer) => {
      reader.push(chunk);
      client.#handlers.read?.();
    });
    socket.on("error", (cause) => client.#closed(cause.message));
    socket.on("close", () => client.#closed("the connection was cut"));
    if (early.length > 0) reader.push(early);
    return client;
  }

  /** From here on somebody else listens. */
  handOver(handlers: SocketHandlers): void {
    this.#handlers = handlers;
  }

  send(payload: Uint8Array): void {
    this.#socket.write(clientFrame(OPCODE.binary, payload, this.maskKey));
  }

  /** Whole frames, masked with `maskKey`. */
  write(frames: Uint8Array): void {
    this.#socket.write(frames);
  }

  ping(payload: Uint8Array): void {
    this.#socket.write(clientFrame(OPCODE.ping, payload, this.maskKey));
  }

  /** Without a word. */
  cut(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #frame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === OPCODE.binary) this.#handlers.message(bytes, start, end);
    else if (opcode === OPCODE.ping)
      this.#socket.write(clientFrame(OPCODE.pong, bytes.subarray(start, end), this.maskKey));
    else if (opcode === OPCODE.pong) this.#handlers.pong?.(bytes.subarray(start, end));
    else if (opcode === OPCODE.close)
      this.#closed(`${bytes.readUInt16BE(start)} ${bytes.toString("utf8", start + 2, end)}`);
  }

  #closed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.#handlers.closed(reason);
  }
}

/** Resolves with what came behind the answer's head. */
async function upgrade(socket: net.Socket, path: string, port: number): Promise<Buffer> {
  const key = randomBytes(16).toString("base64");
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13${HEAD_END}`,
  );
  const answer = await untilHead(socket);
  const end = answer.indexOf(HEAD_END);
  const head = answer.toString("latin1", 0, end).toLowerCase();
  const accept = createHash("sha1")
    .update(key + ACCEPT_SUFFIX)
    .digest("base64")
    .toLowerCase();
  if (!head.startsWith("http/1.1 101 ") || !head.includes(accept))
    throw new Error(`no WebSocket: ${head.split("\r\n", 1)[0]}`);
  return answer.subarray(end + HEAD_END.length);
}

function untilHead(socket: net.Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer: Buffer = Buffer.alloc(0);
    const settle = (run: () => void) => {
      socket.removeAllListeners("data").removeAllListeners("error").removeAllListeners("close");
      run();
    };
    socket.on("data", (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.includes(HEAD_END)) settle(() => resolve(answer));
    });
    socket.on("error", (cause) => settle(() => reject(cause)));
    socket.on("close", () => settle(() => reject(new Error("cut before the upgrade"))));
  });
}
