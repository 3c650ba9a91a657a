import { ErrorCode, isRetryable, ProtocolError } from "@parley/protocol";
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import {
  INVITATION_LIFETIME_MS_DEFAULT,
  INVITATION_USES_MAX,
  type Invitations,
} from "../core/invitations.ts";
import type { ServerSettings } from "../settings.ts";

export interface AdminParts {
  readonly invitations: Invitations;
  readonly settings: Pick<ServerSettings, "origins" | "signUp">;
}

/** Nothing here takes a body worth the name. */
const BODY_BYTES_MAX = 1024;
const YEAR_MS = 366 * 24 * 60 * 60 * 1000;

interface NewInvitation {
  readonly uses: number;
  /** Null: for ever. */
  readonly lifetimeMs: number | null;
}

const NEW_INVITATION = {
  type: "object",
  additionalProperties: false,
  properties: {
    uses: { type: "integer", minimum: 1, maximum: INVITATION_USES_MAX, default: 1 },
    lifetimeMs: {
      type: ["integer", "null"],
      minimum: 1000,
      maximum: 10 * YEAR_MS,
      default: INVITATION_LIFETIME_MS_DEFAULT,
    },
  },
};
const BY_ID = {
  type: "object",
  properties: { id: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER } },
};

/** What an operator does with a server that runs. Who can reach it may do all of it (admin-socket.ts). */
export function createAdminHttp({ invitations, settings }: AdminParts): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: BODY_BYTES_MAX, forceCloseConnections: true });
  app.setErrorHandler((cause: Error & { readonly statusCode?: number }, _request, reply) =>
    refuse(reply, cause),
  );
  app.post<{ Body: NewInvitation }>(
    "/invitations",
    { schema: { body: NEW_INVITATION } },
    async (request, reply) => {
      const { uses, lifetimeMs } = request.body;
      const given = await invitations.create(uses, lifetimeMs ?? undefined);
      const { signUp, origins } = settings;
      return reply.code(201).send({ ...given, signUp, address: origins[0] });
    },
  );
  app.get("/invitations", async () => ({ invitations: await invitations.all() }));
  app.delete<{ Params: { id: number } }>(
    "/invitations/:id",
    { schema: { params: BY_ID } },
    async (request, reply) => {
      if (await invitations.revoke(request.params.id)) return reply.code(204).send();
      return reply.code(404).send({ error: "no such invitation is open" });
    },
  );
  return app;
}

function refuse(reply: FastifyReply, cause: Error & { readonly statusCode?: number }) {
  if (cause.statusCode !== undefined)
    return reply.code(cause.statusCode).send({ error: cause.message });
  const { code, message } = ProtocolError.from(cause);
  const status = code === ErrorCode.NOT_ALLOWED ? 409 : isRetryable(code) ? 503 : 500;
  return reply.code(status).send({ error: message });
}
