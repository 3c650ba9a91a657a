import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, request } from "node:http";
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcp,
  type Server,
} from "node:net";
import { join } from "node:path";
import { createServer as createTls, type TlsOptions } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { holdSocket } from "../../src/doctor/hold-socket.ts";
import { probeSocket } from "../../src/doctor/probe-socket.ts";
import { testFolder } from "../fixtures/embedded.ts";
import { OPENSSL, testWith } from "../fixtures/needs.ts";
import { startServer } from "../fixtures/server-process.ts";

/** What stands before a server, and what it does. */
async function listening(server: Server, scheme = "http"): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const parley = () => startServer({ dataFolder: testFolder() });

/** Passes bytes on, and cuts the connection off when told to. */
async function passingOn(port: number, cutMs?: number): Promise<string> {
  return listening(
    createTcp((client) => {
      const server = connectTcp(port, "127.0.0.1");
      client.pipe(server).pipe(client);
      client.on("error", () => server.destroy());
      server.on("error", () => client.destroy());
      if (cutMs !== undefined) setTimeout(() => client.destroy(), cutMs);
    }),
  );
}

/** What a proxy does that was never told about WebSockets: hop-by-hop headers end with it. */
function withoutUpgrade(port: number): RequestListener {
  return (incoming, outgoing) => {
    const { connection: _, upgrade: __, ...headers } = incoming.headers;
    request({ host: "127.0.0.1", port, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(outgoing);
    }).end();
  };
}

/** Takes every upgrade, with the right key or a wrong one, and says `then`. */
function upgrading(isRight: boolean, then: Uint8Array): Server {
  return createServer().on("upgrade", (incoming, socket) => {
    const key = `${incoming.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = isRight ? createHash("sha1").update(key).digest("base64") : "wrong";
    socket.on("error", () => undefined);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    if (then.length > 0) socket.write(then);
    else socket.end();
  });
}

test("finds the server through a proxy that passes everything on", async () => {
  const { port } = await parley();
  const probe = await probeSocket(await passingOn(port));
  expect(probe).toMatchObject({ kind: "challenge" });
  if (probe.kind === "challenge")
    expect(Math.abs(probe.serverTimeMs - Date.now())).toBeLessThan(5e3);
});

test("sees that the Upgrade header was dropped, by the server's own answer", async () => {
  const { port } = await parley();
  const origin = await listening(createServer(withoutUpgrade(port)));
  expect(await probeSocket(origin)).toMatchObject({ kind: "answered", status: 426 });
});

test.each([
  [200, {}, {}],
  [302, { location: "https://b.example/" }, { location: "https://b.example/" }],
  [502, { server: "nginx" }, { server: "nginx" }],
])("sees an answer of %i in place of an upgrade", async (status, headers, seen) => {
  const origin = await listening(
    createServer((_, outgoing) => void outgoing.writeHead(status, headers).end("page")),
  );
  expect(await probeSocket(origin)).toMatchObject({ kind: "answered", status, ...seen });
});

test.each([
  ["a wrong key", false, Uint8Array.of(), "wrong accept"],
  ["nothing behind the upgrade", true, Uint8Array.of(), "silent"],
  ["text", true, Uint8Array.of(0x81, 2, 104, 105), "not Parley"],
  ["another protocol", true, Uint8Array.of(0x82, 3, 0xff, 0xff, 0xff), "not Parley"],
])("sees %s", async (_, isRight, then, kind) => {
  expect(await probeSocket(await listening(upgrading(isRight, then)))).toEqual({ kind });
});

test("sees that nobody listens", async () => {
  const server = createServer();
  const origin = await listening(server);
  server.close();
  expect(await probeSocket(origin)).toMatchObject({ kind: "unreachable", code: "ECONNREFUSED" });
});

function tlsOf(options: TlsOptions): Server {
  const folder = testFolder();
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-subj", "/CN=127.0.0.1", "-days", "1", "-keyout", key, "-out", cert],
    ],
    { stdio: "ignore" },
  );
  const server = createTls({ key: readFileSync(key), cert: readFileSync(cert), ...options });
  return server.on("tlsClientError", () => undefined);
}

for (const [ALPNProtocols, code, says] of [
  [["h2"], "EPROTO", "no application protocol"],
  [["h2", "http/1.1"], "DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed"],
] as const)
  testWith(
    OPENSSL,
    `sees of TLS with ${ALPNProtocols.join(" and ")} that it is ${code}`,
    async () => {
      const origin = await listening(tlsOf({ ALPNProtocols: [...ALPNProtocols] }), "https");
      expect(await probeSocket(origin)).toMatchObject({
        ...{ kind: "unreachable", code },
        says: expect.stringContaining(says),
      });
    },
    20_000,
  );

test("sees that plain HTTP is no TLS", async () => {
  const origin = await listening(createServer());
  expect(await probeSocket(origin.replace("http:", "https:"))).toMatchObject({
    kind: "unreachable",
    code: "EPROTO",
  });
});

test("keeps a connection open, and sees when a proxy cuts it off", async () => {
  const { port, origin } = await parley();
  expect(await holdSocket(origin, 300)).toMatchObject({ isCut: false });
  const cutting = await passingOn(port, 300);
  const { heldMs, isCut } = await holdSocket(cutting, 30_000);
  expect(isCut).toBe(true);
  expect(heldMs).toBeLessThan(20_000);
});
