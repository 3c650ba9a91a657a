import { type Config, isLoopback } from "../config/config.ts";
import { type Finding, findingsOf } from "./finding.ts";

/** Whether what is open to the world is meant to be. */
export function checkExposure({ host, metrics, settings }: Config): Finding[] {
  const { ok, warning } = findingsOf("exposure");
  const { origins, signUp } = settings;
  const outside = origins.filter((origin) => !isLoopbackOrigin(origin));
  const findings: Finding[] = [];
  const isReachable = !isLoopback(host) || outside.length > 0;
  if (isReachable && signUp === "open")
    findings.push(
      warning(
        "whoever reaches this server may make an account",
        'set [sign_up] mode = "invitation", unless that is meant',
      ),
    );
  for (const origin of outside)
    if (origin.startsWith("http:"))
      findings.push(
        warning(
          `${origin} is not encrypted on the way: who talks to whom can be seen, and a login be cut off`,
          "let a proxy speak TLS for it, and use its https:// address",
        ),
      );
  if (metrics.enabled && !isLoopback(metrics.host))
    findings.push(
      warning(
        `metrics and probes can be read by whoever reaches ${metrics.host}:${metrics.port}`,
        "let a firewall keep that port for your monitoring: it has no password",
      ),
    );
  if (findings.length > 0) return findings;
  const where = isReachable ? `reachable as ${outside.join(", ") || host}` : "on loopback only";
  return [ok(`${where}; sign-up: ${signUp}`)];
}

function isLoopbackOrigin(origin: string): boolean {
  return isLoopback(new URL(origin).hostname.replace(/^\[|\]$/g, ""));
}
