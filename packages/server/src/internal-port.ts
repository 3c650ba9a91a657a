import type { AddressInfo } from "node:net";
import type { Config } from "./config/config.ts";
import { createInternalHttp, type InternalParts } from "./gateway/internal-http.ts";
import type { Log } from "./ports/log.ts";

export interface InternalPort {
  /** The public port takes connections. */
  started(): void;
  close(): Promise<void>;
}

const NONE: InternalPort = { started: () => undefined, close: async () => undefined };

/** Listens where the settings say so; rejects as a listener does. */
export async function openInternalPort(
  { enabled, host, port }: Config["metrics"],
  { log, ...parts }: Omit<InternalParts, "isStarted"> & { readonly log: Log },
): Promise<InternalPort> {
  if (!enabled) return NONE;
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
