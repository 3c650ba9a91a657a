import type { Config } from "../config/config.ts";
import { type Finding, findingsOf } from "./finding.ts";

const PATIENCE_MS = 3_000;
const { ok, warning, problem } = findingsOf("server");

/** What a server that runs says of itself: on its internal port with reasons, else yes or no. */
export async function checkRunning({ host, port, metrics }: Config): Promise<Finding[]> {
  const base = metrics.enabled ? urlOf(metrics.host, metrics.port) : urlOf(host, port);
  const url = `${base}/readyz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const body = await answer.text();
    if (answer.ok) return [ok(`it runs, and says that it is ready (${url})`)];
    return [problem(`it runs, and is not ready: ${reasonsIn(body)}`, "its log tells more")];
  } catch (cause) {
    const { name, message } = reasonOf(cause);
    const why = name === "TimeoutError" ? `says nothing within ${PATIENCE_MS} ms` : message;
    return [
      warning(
        `it runs, and does not answer at ${url}: ${why}`,
        "run the doctor with the same configuration (--config, PARLEY__…) as the server",
      ),
    ];
  }
}

export function urlOf(host: string, port: number): string {
  // Where it listens everywhere, it is on loopback too.
  const here = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http://${here.includes(":") ? `[${here}]` : here}:${port}`;
}

/** The failed checks of the internal port's answer. */
function reasonsIn(body: string): string {
  try {
    const { checks } = JSON.parse(body) as { readonly checks: readonly Check[] };
    const failed = checks.filter((each) => !each.ok);
    return failed.map(({ name, detail }) => `${name} (${detail ?? "failed"})`).join(", ");
  } catch {
    return "the internal port ([metrics] enabled) would say why";
  }
}

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** `fetch` hides the reason one level down. */
export function reasonOf(cause: unknown): Error & { readonly code?: string } {
  const inner = (cause as { readonly cause?: unknown }).cause;
  return inner instanceof Error ? inner : (cause as Error);
}
