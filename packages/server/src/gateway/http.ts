import { type FastifyInstance, fastify } from "fastify";
import type { Readiness } from "../core/readiness.ts";
import { SOCKET_PATH } from "./handshake.ts";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Parley</title>
<p>This is a Parley server: it carries messages that only the people who write them can read.</p>
<p>To talk to somebody here, use a Parley client with this address.</p>
</html>
`;
const HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
const NO_UPGRADE =
  "Clients connect here by WebSocket, and this request has no Upgrade header: a proxy may have dropped it.\n";
/** Nothing here takes a body worth the name. */
const BODY_BYTES_MAX = 1024;
/** A browser's request for a WebSocket is about 1 KiB; cookies of other things on the same host may be more. */
const HEADERS_BYTES_MAX = 8 * 1024;
/** For a request to come whole: a few packets, over the worst network. */
const REQUEST_MS_MAX = 10_000;
/** How often that is looked at. */
const REQUESTS_LOOKED_AT_EVERY_MS = 2_000;

/** What a server says over plain HTTP: that it lives, whether it is ready, and what it is. */
export function createHttp(readiness: Readiness): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
    requestTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: REQUEST_MS_MAX,
    http: {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: REQUESTS_LOOKED_AT_EVERY_MS,
    },
  });
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(HEADERS);
  });
  app.get("/livez", async (_request, reply) => reply.type("text/plain").send("ok\n"));
  app.get("/readyz", async (_request, reply) => {
    // Why not is for the internal port.
    const { isReady } = await readiness.report();
    reply.code(isReady ? 200 : 503).type("text/plain");
    return reply.header("cache-control", "no-store").send(isReady ? "ready\n" : "not ready\n");
  });
  // Where an upgrade is asked for, websocket.ts takes the request before it comes here (RFC 9110 section 15.5.22).
  app.get(SOCKET_PATH, async (_request, reply) =>
    reply.code(426).header("upgrade", "websocket").type("text/plain").send(NO_UPGRADE),
  );
  app.get("/", async (_request, reply) => reply.type("text/html; charset=utf-8").send(PAGE));
  return app;
}
