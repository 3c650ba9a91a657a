import { type FastifyInstance, fastify } from "fastify";

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
/** Nothing here takes a body worth the name. */
const BODY_BYTES_MAX = 1024;

/** What a server says over plain HTTP: that it lives, and what it is. */
export function createHttp(): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: BODY_BYTES_MAX, forceCloseConnections: true });
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(HEADERS);
  });
  app.get("/livez", async (_request, reply) => reply.type("text/plain").send("ok\n"));
  app.get("/", async (_request, reply) => reply.type("text/html; charset=utf-8").send(PAGE));
  return app;
}
