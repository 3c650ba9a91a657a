import { CloseCode } from "@parley/protocol";
import type { Context } from "./context.ts";
import { SharedTimer } from "./core/shared-timer.ts";
import { Admission } from "./gateway/admission.ts";
import { Connection, type ConnectionParts } from "./gateway/connection.ts";
import type { SocketLimits } from "./gateway/socket-loop.ts";
import type { Transport } from "./ports/transport.ts";

/** What a transport tells of its end of one connection. */
export interface Accepted {
  /** One whole frame. */
  receive(frame: Uint8Array): void;
  /** What is longer need not be read: before login it is less. */
  frameBytesMax(): number;
  readonly isLoggedIn: boolean;
  /** So much of what came is under way that the rest need not be read yet; then its transport is told `ready`. */
  readonly isBusy: boolean;
  /** What was full takes more. */
  drained(): void;
  /** The connection has ended; with the code by which its transport ended it, where it did. */
  closed(closeCode?: number): void;
}

export interface Server {
  readonly admission: Admission;
  /** What protects the memory of sockets. */
  readonly socketLimits: SocketLimits;
  /** A new connection. The challenge is sent before this returns. */
  accept(transport: Transport): Accepted;
  /** Takes no more connections, lets requests under way finish, and asks all clients to come back. */
  drain(): Promise<void>;
  /** Ends as `kill -9` would: nothing is said or heard any more. */
  silence(): void;
  isDraining(): boolean;
  connectionCount(): number;
}

/** Coming back costs a server about this much for each client, so they spread over it. */
const RECONNECT_MS_PER_CONNECTION = 1;
const RECONNECT_MS_MAX = 10_000;
const UINT16_MAX = 0xffff;
/** A step of linking may be waited for, and the next one takes a person's hands. */
const LINK_PATIENCE_MS = 120_000;

/** Whoever is not served is not heard. */
export const REFUSED: Accepted = {
  isBusy: false,
  receive: () => undefined,
  frameBytesMax: () => 0,
  isLoggedIn: false,
  drained: () => undefined,
  closed: () => undefined,
};

export function createServer(context: Context): Server {
  const connections = new Set<Connection>();
  /** Who waits longest comes first. */
  const visitors = new Set<Connection>();
  const admission = new Admission(context);
  const parts: ConnectionParts = {
    context,
    admission,
    logins: new SharedTimer(context.clock, context.settings.loginTimeoutMs),
    linkings: new SharedTimer(context.clock, LINK_PATIENCE_MS),
    loggedIn: (connection) => visitors.delete(connection),
    ended: (connection) => {
      visitors.delete(connection);
      connections.delete(connection);
    },
  };
  let isDraining = false;
  let isSilent = false;

  /** Up to the time that all of them together need, evenly. */
  const reconnectAfterMs = () => {
    const [high, low] = context.random(2) as Uint8Array & [number, number];
    const span = Math.min(connections.size * RECONNECT_MS_PER_CONNECTION, RECONNECT_MS_MAX);
    return Math.round((((high << 8) | low) / UINT16_MAX) * span);
  };

  /** Whoever means it logs in at once; so a crowd of visitors who do not, keeps nobody out. */
  const makeRoom = () => {
    if (visitors.size < context.settings.visitorsMax) return;
    context.limits.refused("visitorsMax");
    for (const oldest of visitors) {
      oldest.end(CloseCode.OVERLOADED, "too many connections that do not log in");
      return;
    }
  };

  context.metrics.gauge("connections", () => connections.size);
  context.metrics.gauge("sessions", () => sum(connections, (each) => (each.isLoggedIn ? 1 : 0)));
  context.metrics.gauge("bufferedBytes", () => sum(connections, (each) => each.bufferedBytes));
  return {
    admission,
    socketLimits: { ...context.settings, refused: (limit) => context.limits.refused(limit) },
    accept: (transport) => {
      if (isSilent) return REFUSED;
      if (isDraining || connections.size >= context.settings.connectionsMax) {
        if (isDraining) transport.close(CloseCode.SERVICE_RESTART, "the server is stopping");
        else {
          context.limits.refused("connectionsMax");
          transport.close(CloseCode.OVERLOADED, "too many connections");
        }
        return REFUSED;
      }
      makeRoom();
      const connection = new Connection(parts, transport);
      connections.add(connection);
      visitors.add(connection);
      return connection;
    },
    drain: async () => {
      isDraining = true;
      await Promise.all([...connections].map((each) => each.drain(reconnectAfterMs())));
    },
    silence: () => {
      isSilent = true;
      for (const connection of connections) connection.silence();
    },
    isDraining: () => isDraining,
    connectionCount: () => connections.size,
  };
}

function sum(connections: Iterable<Connection>, of: (connection: Connection) => number): number {
  let total = 0;
  for (const connection of connections) total += of(connection);
  return total;
}
