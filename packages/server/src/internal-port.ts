import type { AddressInfo } from "node:net";
import { createInternalHttp, type InternalParts } from "./gateway/internal-http.ts";
import type { Log } from "./ports/log.ts";

export interface InternalPort {
  /** The public port takes connections. */
  started(): void;
  close(): Promise<void>;
}

const NONE: InternalPort = { started: () => undefined, close: async () => undefined };

export interface InternalPortOptions extends Omit<InternalParts, "isStarted"> {
  readonly host: string;
  readonly port: number;
  readonly log: Log;
}

/** Listens, or rejects as a listener does. */
export async function openInternalPort(
  isEnabled: boolean,
  { host, port, log, ...parts }: InternalPortOptions,
): Promise<InternalPort> {
  if (!isEnabled) return NONE;
  let isStarted = false;
  const http = createInternalHttp({ ...parts, isStarted: () => isStarted });
  await http.listen({ host, port });
  log.info({ port: (http.server.address() as AddressInfo).port }, "internal-port-listening");
  return {
    started: () => {
      isStarted = true;
    },
    close: () => http.close(),
  };
}
