import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { decodeServerFrame } from "@parley/protocol";
import { SOCKET_PATH } from "../gateway/handshake.ts";

/** What came back when a client of the doctor's own asked for a WebSocket. */
export type SocketProbe =
  | {
      readonly kind: "challenge";
      readonly serverTimeMs: number;
      readonly tookMs: number;
      /** Of TLS. */
      readonly certificateEndsMs?: number;
    }
  /** An answer that is no upgrade. */
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly location: string | undefined;
      /** Who says that it answered: a proxy's name, often. */
      readonly server: string | undefined;
    }
  /** An upgrade whose key does not fit: something in between speaks for the server. */
  | { readonly kind: "wrong accept" }
  /** An upgrade, and then nothing: frames are held back. */
  | { readonly kind: "silent" }
  /** An upgrade, and then something that is not Parley's. */
  | { readonly kind: "not Parley" }
  | { readonly kind: "unreachable"; readonly code: string; readonly says: string };

const PATIENCE_MS = 5_000;
/** RFC 6455 section 1.3. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Comes to the server as a client does: through whatever lies before the address. */
export function probeSocket(origin: string): Promise<SocketProbe> {
  const begun = performance.now();
  const key = randomBytes(16).toString("base64");
  const url = new URL(SOCKET_PATH, origin);
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const asked = request(url, {
      agent: false,
      timeout: PATIENCE_MS,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": key,
      },
      // As browsers ask for it; an https server may have HTTP/2 too, where a WebSocket is asked for otherwise.
      ALPNProtocols: ["http/1.1"],
    } as Parameters<typeof httpsRequest>[1] & object);
    asked.on("timeout", () => asked.destroy(new TimedOut()));
    asked.on("error", (cause: NodeJS.ErrnoException) =>
      resolve({ kind: "unreachable", code: cause.code ?? cause.name, says: cause.message }),
    );
    asked.on("response", (response) => {
      response.resume();
      asked.destroy();
      resolve(answered(response));
    });
    asked.on("upgrade", (response, socket, head) => {
      if (response.headers["sec-websocket-accept"] !== acceptOf(key)) {
        socket.destroy();
        resolve({ kind: "wrong accept" });
      } else firstFrame(socket, head, begun).then(resolve, () => resolve({ kind: "not Parley" }));
    });
    asked.end();
  });
}

class TimedOut extends Error {
  override readonly name = "TimeoutError";
  readonly code = "ETIMEDOUT";

  constructor() {
    super(`no answer within ${PATIENCE_MS} ms`);
  }
}

function acceptOf(key: string): string {
  return createHash("sha1")
    .update(key + ACCEPT_SUFFIX)
    .digest("base64");
}

function answered({ statusCode = 0, headers }: IncomingMessage): SocketProbe {
  const server = headers["server"];
  return {
    kind: "answered",
    status: statusCode,
    location: headers.location,
    server: typeof server === "string" ? server : undefined,
  };
}

/** The challenge is the first that a server says, unasked. */
function firstFrame(socket: Duplex, head: Buffer, begun: number): Promise<SocketProbe> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const timer = setTimeout(() => end({ kind: "silent" }), PATIENCE_MS);
    const end = (probe: SocketProbe) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(probe);
    };
    const take = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      try {
        const payload = binaryFrame(bytes);
        if (payload === undefined) return;
        const { response } = decodeServerFrame(payload);
        if (response.case !== "challenge") return end({ kind: "not Parley" });
        const serverTimeMs = Number(response.value.serverTimeMs);
        const tookMs = performance.now() - begun;
        end({ kind: "challenge", serverTimeMs, tookMs, ...certificateOf(socket) });
      } catch (cause) {
        clearTimeout(timer);
        socket.destroy();
        reject(cause);
      }
    };
    socket.on("data", take);
    socket.on("error", () => end({ kind: "silent" }));
    socket.on("close", () => end({ kind: "silent" }));
    if (head.length > 0) take(head);
  });
}

function certificateOf(socket: Duplex): { readonly certificateEndsMs?: number } {
  if (!(socket instanceof TLSSocket)) return {};
  return { certificateEndsMs: Date.parse(socket.getPeerCertificate().valid_to) };
}

/** The payload of a short frame (RFC 6455 section 5.2), once it is all there. */
function binaryFrame(bytes: Buffer): Buffer | undefined {
  const [opcode, length = 0] = bytes;
  if (opcode === undefined || bytes.length < 2) return undefined;
  if (opcode !== FINAL_BINARY || length > SHORT_MAX) throw new Error("no challenge");
  return bytes.length < 2 + length ? undefined : bytes.subarray(2, 2 + length);
}

const FINAL_BINARY = 0x82;
const SHORT_MAX = 125;
