import { once } from "node:events";
import { createServer } from "node:net";
import type { Config } from "../config/config.ts";
import { type Finding, findingsOf } from "./finding.ts";

const { ok, problem } = findingsOf("port");

/** Whether the server could listen; where it runs already, it has the port. */
export async function checkPort({ host, port }: Config): Promise<Finding[]> {
  const listener = createServer();
  try {
    listener.listen({ host, port });
    await once(listener, "listening");
    return [ok(port === 0 ? `any free one of ${host}` : `${host}:${port} is free`)];
  } catch (cause) {
    return [judgeRefusal(`${host}:${port}`, cause as NodeJS.ErrnoException)];
  } finally {
    listener.close();
  }
}

function judgeRefusal(address: string, { code, message }: NodeJS.ErrnoException): Finding {
  switch (code) {
    case "EADDRINUSE":
      return problem(
        `${address} is taken by another program`,
        "end it (ss -ltnp names it), or choose another port (--port)",
      );
    case "EACCES":
      return problem(
        `${address} may not be used by this user`,
        "choose a port above 1023, and let a proxy have the low one",
      );
    case "EADDRNOTAVAIL":
      return problem(`${address} is no address of this machine`, "choose one that is (--host)");
    default:
      return problem(
        `nothing can listen on ${address}: ${message}`,
        "choose another (--host, --port)",
      );
  }
}
