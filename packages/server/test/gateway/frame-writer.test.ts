import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { closeFrame, joined } from "../../src/gateway/frame-writer.ts";
import { handshake } from "../../src/gateway/handshake.ts";

const bytes = (length: number) => new Uint8Array(length).map((_, i) => (i * 11) & 0xff);

/** A client of `ws`, and the socket on which it is served by hand. */
async function open(): Promise<{ client: WebSocket; socket: Socket }> {
  const server = createServer();
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`);
  client.binaryType = "nodebuffer";
  const [socket] = (await once(server, "connection")) as [Socket];
  const [request] = (await once(socket, "data")) as [Buffer];
  const key = /Sec-WebSocket-Key: (.*)\r\n/i.exec(request.toString())?.[1];
  const headers = {
    upgrade: "websocket",
    "sec-websocket-version": "13",
    ...(key !== undefined && { "sec-websocket-key": key }),
  };
  const answer = handshake({ method: "GET", url: "/v1/socket", headers } as never);
  socket.write(answer.response);
  await once(client, "open");
  onTestFinished(() => client.terminate());
  return { client, socket };
}

test("writes what another implementation reads, at every form of length", async () => {
  const { client, socket } = await open();
  const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000];
  const got: Uint8Array[] = [];
  client.on("message", (data, isBinary) => {
    expect(isBinary).toBe(true);
    got.push(Uint8Array.from(data as Buffer));
  });
  const messages = lengths.map(bytes);
  socket.write(joined(messages));
  for (const message of messages) socket.write(joined([message]));
  socket.write(closeFrame(4002, "the client takes no more data"));
  const [code, reason] = (await once(client, "close")) as [number, Buffer];
  expect([code, reason.toString()]).toEqual([4002, "the client takes no more data"]);
  expect(got).toEqual([...messages, ...messages]);
});
