import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket as TcpSocket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nodeSocket, socketUrl } from "../../src/platform/node/index.ts";

/** Just enough of RFC 6455 on the server's side: the handshake, whole frames out, raw bytes in. */
let http: Server;
let url: string;
let path: string | undefined;
let peer: TcpSocket;
let connected: Promise<void>;
beforeEach(async () => {
  http = createServer();
  connected = new Promise((resolve) => {
    http.on("upgrade", (request, socket) => {
      path = request.url;
      peer = socket as TcpSocket;
      peer.on("error", () => {});
      const accept = createHash("sha1")
        .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest("base64");
      peer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      resolve();
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(() => {
  peer?.destroy();
  http.close();
});

const BINARY = 0x82;
const TEXT = 0x81;
const CLOSE = 0x88;

function frame(kind: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(10);
  head[0] = kind;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([payload.length < 126 ? Buffer.of(kind, payload.length) : head, payload]);
}

function open() {
  const received: Uint8Array[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<number>();
  let waiting: (() => void) | undefined;
  const socket = nodeSocket(url, {
    opened: opened.resolve,
    received: (bytes) => {
      received.push(bytes);
      waiting?.();
    },
    closed: closed.resolve,
  });
  const frames = async (count: number) => {
    while (received.length < count)
      await new Promise<void>((resolve) => {
        waiting = resolve;
      });
    return received;
  };
  return { socket, frames, opened: opened.promise, closed: closed.promise };
}

describe("a socket on Node", () => {
  test("carries whole binary frames both ways, below the path of the server", async () => {
    const { socket, frames, opened } = open();
    await opened;
    expect(path).toBe("/v1/socket");
    const large = new Uint8Array(1_000_000).fill(3);
    peer.write(Buffer.concat([frame(BINARY, Uint8Array.of(1, 2)), frame(BINARY, large)]));
    expect(await frames(2)).toEqual([Uint8Array.of(1, 2), large]);
    socket.send(Uint8Array.of(9, 8, 7));
    const [sent] = (await once(peer, "data")) as [Buffer];
    const mask = sent.subarray(2, 6);
    expect(sent[0]).toBe(BINARY);
    expect([...sent.subarray(6)].map((byte, i) => byte ^ (mask[i % 4] as number))).toEqual([
      9, 8, 7,
    ]);
  });

  test("says with which code the other side ended it", async () => {
    const { closed } = open();
    await connected;
    peer.write(frame(CLOSE, Uint8Array.of(4200 >> 8, 4200 & 0xff)));
    await once(peer, "data"); // Its own close frame; then the server ends TCP (RFC 6455 section 7.1.1).
    peer.end();
    expect(await closed).toBe(4200);
  });

  test("says 1006 where the other side is gone without a word, or was never there", async () => {
    const { closed } = open();
    await connected;
    peer.destroy();
    expect(await closed).toBe(1006);
    http.close();
    await once(http, "close");
    expect(await open().closed).toBe(1006);
  });

  test.each([
    ["text", frame(TEXT, Buffer.from("hello"))],
    ["a frame above the limit", frame(BINARY, new Uint8Array(1_310_721))],
  ])("ends at %s and hands nothing up", async (_name, bytes) => {
    const { frames } = open();
    let handed = false;
    void frames(1).then(() => {
      handed = true;
    });
    await connected;
    peer.write(bytes);
    const [close] = (await once(peer, "data")) as [Buffer];
    expect(close[0]).toBe(CLOSE);
    const mask = close.subarray(2, 6);
    const code = [close[6], close[7]].map((byte, i) => (byte as number) ^ (mask[i] as number));
    expect(code).toEqual([4001 >> 8, 4001 & 0xff]);
    expect(handed).toBe(false);
  });

  test("drops what is sent before it is open or after it ended", async () => {
    const { socket, closed } = open();
    expect(() => socket.send(Uint8Array.of(1))).not.toThrow();
    await connected;
    peer.destroy();
    await closed;
    expect(() => socket.send(Uint8Array.of(1))).not.toThrow();
  });
});

test.each([
  ["http://127.0.0.1:7420", "ws://127.0.0.1:7420/v1/socket"],
  ["https://chat.example/", "wss://chat.example/v1/socket"],
  ["https://chat.example/parley/?x#y", "wss://chat.example/parley/v1/socket"],
])("the socket of %s is at %s", (server, socket) => {
  expect(socketUrl(server)).toBe(socket);
});
