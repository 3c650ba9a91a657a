import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { clientFrame, OPCODE, payloadOffset } from "../src/networks/parley/wire/client-frame.ts";
import { FrameReader } from "../src/networks/parley/wire/frame-reader.ts";
import { WebSocketClient } from "../src/networks/parley/wire/web-socket.ts";

// RFC 6455 section 5.7: "Hello", masked.
test("a client's frame is the one of the RFC", () => {
  const frame = clientFrame(OPCODE.text, Buffer.from("Hello"), Buffer.from("37fa213d", "hex"));
  expect(frame.toString("hex")).toBe("818537fa213d7f9f4d5158");
});

test.each([0, 125, 126, 65_535, 65_536])(
  "a payload of %i bytes stands behind its head",
  (bytes) => {
    const key = randomBytes(4);
    const payload = randomBytes(bytes);
    const frame = clientFrame(OPCODE.binary, payload, key);
    const masked = frame.subarray(payloadOffset(bytes));
    const plain = masked.map((byte, i) => byte ^ (key[i & 3] as number));
    expect(Buffer.from(plain).equals(payload)).toBe(true);
  },
);

test("frames come whole, wherever the stream is cut", () => {
  const all = [0, 5, 125, 126, 300, 65_535, 65_536].map((bytes) => randomBytes(bytes));
  for (const step of [1, 131, 4096, 1_000_000]) {
    // Byte by byte the long ones take their time.
    const payloads = step === 1 ? all.slice(0, 5) : all;
    const stream = Buffer.concat(payloads.map(serverFrame));
    const came: Buffer[] = [];
    const reader = new FrameReader((opcode, bytes, start, end) => {
      expect(opcode).toBe(OPCODE.binary);
      came.push(Buffer.from(bytes.subarray(start, end)));
    });
    for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
    expect(came.length).toBe(payloads.length);
    expect(came.every((payload, i) => payload.equals(payloads[i] as Buffer))).toBe(true);
  }
});

test("a masked or fragmented frame of a server is refused", () => {
  const reader = () => new FrameReader(() => undefined);
  expect(() => reader().push(Buffer.from("828500000000", "hex"))).toThrow("mask");
  expect(() => reader().push(Buffer.from("020161", "hex"))).toThrow("fragment");
});

test("an answer that is no upgrade is refused", async () => {
  const server = http.createServer().on("upgrade", (_, socket) => {
    socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const handlers = { message: () => undefined, closed: () => undefined };
  await expect(WebSocketClient.open(port, "/", handlers)).rejects.toThrow("404");
});

function serverFrame(payload: Buffer): Buffer {
  const masked = clientFrame(OPCODE.binary, payload, Buffer.alloc(4));
  const head = Buffer.from(masked.subarray(0, payloadOffset(payload.length) - 4));
  head[1] = (head[1] as number) & 0x7f;
  return Buffer.concat([head, payload]);
}
