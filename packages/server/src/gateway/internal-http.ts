import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import type { Readiness } from "../core/readiness.ts";

export interface InternalParts {
  readonly readiness: Readiness;
  /** Everything that is counted, as Prometheus reads it. */
  readonly exposition: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** The public port takes connections. */
  readonly isStarted: () => boolean;
}

/** For whoever runs the server, on a port that is theirs alone: metrics, and probes with their reasons. */
export function createInternalHttp(parts: InternalParts): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: 1, forceCloseConnections: true });
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });
  app.get("/metrics", async (_request, reply) => {
    const { contentType, text } = await parts.exposition();
    return reply.type(contentType).send(text);
  });
  app.get("/livez", async (_request, reply) => answer(reply, true, { status: "live" }));
  app.get("/startupz", async (_request, reply) => {
    const isStarted = parts.isStarted();
    return answer(reply, isStarted, { status: isStarted ? "started" : "starting" });
  });
  app.get("/readyz", async (_request, reply) => {
    const { isReady, checks } = await parts.readiness.report();
    return answer(reply, isReady, {
      status: isReady ? "ready" : "not ready",
      checks: checks.map(({ name, isOk, detail }) => ({ name, ok: isOk, detail })),
    });
  });
  return app;
}

function answer(reply: FastifyReply, isOk: boolean, body: object): FastifyReply {
  return reply.code(isOk ? 200 : 503).send(body);
}
