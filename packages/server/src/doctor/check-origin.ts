import { type Finding, findingsOf } from "./finding.ts";
import { holdSocket } from "./hold-socket.ts";
import { probeSocket, type SocketProbe } from "./probe-socket.ts";
import { readableMs } from "./readable.ts";

const PATIENCE_MS = 5_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Whoever renews by itself has done so by then: authorities ask for it with a third of the time left. */
const CERTIFICATE_MS_MIN = 14 * DAY_MS;
/** Live frames of a sender whose clock is a minute off are dropped, and times shown are wrong by it. */
const APART_MS_MAX = 10_000;
/** The server pings every 30 s, and a proxy may take a ping for silence in one direction. */
const CUT_ADVICE =
  "let it keep silent connections for 60 s or more (nginx: proxy_read_timeout, proxy_send_timeout; HAProxy: timeout tunnel)";

const { ok, warning, problem } = findingsOf("address");

/** Comes in from outside, as clients do: plain HTTP, a WebSocket, and, if asked for, one that is held. */
export async function checkOrigin(origin: string, holdMs: number): Promise<Finding[]> {
  const probe = await probeSocket(origin);
  const findings = [judgeProbe(origin, probe), ...judgeCertificate(origin, probe, Date.now())];
  const dateMs = probe.kind === "challenge" ? probe.serverTimeMs : await httpDateMs(origin);
  if (dateMs !== undefined) findings.push(...judgeTime(origin, dateMs, Date.now()));
  if (probe.kind === "challenge" && holdMs > 0)
    findings.push(judgeHold(origin, await holdSocket(origin, holdMs)));
  return findings;
}

/** The `Date` of whoever answers there, should no server of ours do so. */
async function httpDateMs(origin: string): Promise<number | undefined> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { headers } = await fetch(`${origin}/livez`, { signal, redirect: "manual" });
    const dateMs = Date.parse(headers.get("date") ?? "");
    return Number.isNaN(dateMs) ? undefined : dateMs;
  } catch {
    // Why not the probe has said.
    return undefined;
  }
}

export function judgeProbe(origin: string, probe: SocketProbe): Finding {
  switch (probe.kind) {
    case "challenge":
      return ok(
        `${origin} takes a WebSocket, and a Parley server answers after ${readableMs(probe.tookMs)}`,
      );
    case "unreachable":
      return judgeUnreachable(origin, probe);
    case "answered":
      return judgeAnswer(origin, probe);
    case "wrong accept":
      return problem(
        `${origin} agrees to a WebSocket with the wrong key`,
        "something in between answers in the server's place: let the proxy pass /v1/socket on as it is",
      );
    case "silent":
      return problem(
        `${origin} agrees to a WebSocket, and then no frame comes through`,
        "let the proxy pass frames on at once: no buffering for /v1/socket, and no HTTP/1.0 to the server",
      );
    case "not Parley":
      return problem(
        `${origin} has a WebSocket that is not a Parley server's`,
        "let the proxy pass /v1/socket on to this server's port",
      );
  }
}

function judgeAnswer(
  origin: string,
  { status, location, server }: Extract<SocketProbe, { readonly kind: "answered" }>,
): Finding {
  const by = server === undefined ? "" : ` (from ${server})`;
  const says = `${origin} answers a WebSocket with ${status}${by}`;
  if (status >= 300 && status < 400)
    return problem(
      `${says}, and sends clients to ${location ?? "elsewhere"}`,
      "clients follow no redirects: set server.origins to the address at its end",
    );
  if (status === UPGRADE_REQUIRED || status === 400)
    return problem(
      `${says}: the request arrives without its Upgrade header`,
      'let the proxy pass it on (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade")',
    );
  if (status === 404)
    return problem(
      says,
      "something else answers there: let the proxy pass /v1/socket on to this server's port",
    );
  if (status === 429)
    return problem(
      `${says}: too many connections come from one address`,
      "let the proxy say whose they are (X-Forwarded-For), and name it in server.trusted_proxies",
    );
  if (status === 502 || status === 503 || status === 504)
    return problem(
      `${says}: the proxy does not reach the server`,
      "start the server, and let the proxy's target be its host and port",
    );
  if (status === 200)
    return problem(
      `${says}, as if it were a page`,
      "let the proxy pass WebSockets on, and serve no page in place of /v1/socket",
    );
  return problem(says, "let the proxy pass /v1/socket on without asking for anything itself");
}

/** RFC 9110 section 15.5.22; what the server says where no upgrade is asked for. */
const UPGRADE_REQUIRED = 426;

function judgeUnreachable(
  origin: string,
  { code, says }: Extract<SocketProbe, { readonly kind: "unreachable" }>,
): Finding {
  const about = `${origin} cannot be reached from here`;
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return problem(`${about}: its name has no address`, "look at its DNS records");
    case "ECONNREFUSED":
      return problem(
        `${about}: nobody listens there`,
        "start the proxy; a firewall, or a router that cannot call itself, looks the same",
      );
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return problem(
        `${about}: no answer`,
        "look at the firewall, and whether the address is right",
      );
    case "CERT_HAS_EXPIRED":
      return problem(`${origin} shows a certificate that has expired`, "renew it");
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return problem(
        `${origin} shows a certificate that this machine does not trust (${code})`,
        "send the whole chain; for an authority of your own, run with NODE_EXTRA_CA_CERTS=FILE",
      );
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return problem(`${origin} shows another name's certificate`, "get one for this name");
    case "EPROTO":
      if (says.includes("no application protocol"))
        return problem(
          `${origin} speaks HTTP/2 only`,
          "let the proxy speak HTTP/1.1 too: a WebSocket is asked for in it",
        );
      return problem(
        `${origin} does not speak TLS as this client does: ${says}`,
        "use http:// for it, or let the proxy speak TLS 1.2 or 1.3",
      );
    default:
      return problem(`${about}: ${says}`, "the proxy cuts the connection off: look at its log");
  }
}

export function judgeCertificate(origin: string, probe: SocketProbe, nowMs: number): Finding[] {
  const endsMs = probe.kind === "challenge" ? probe.certificateEndsMs : undefined;
  if (endsMs === undefined || endsMs - nowMs > CERTIFICATE_MS_MIN) return [];
  const days = Math.floor((endsMs - nowMs) / DAY_MS);
  return [
    warning(`the certificate of ${origin} ends in ${days} days`, "see why it was not renewed"),
  ];
}

export function judgeTime(origin: string, theirsMs: number, oursMs: number): Finding[] {
  const apartMs = Math.abs(theirsMs - oursMs);
  if (apartMs <= APART_MS_MAX) return [];
  return [
    findingsOf("clock").warning(
      `the clock of ${origin} and this one are ${readableMs(apartMs)} apart`,
      "let both machines keep their time, such as by chrony or systemd-timesyncd",
    ),
  ];
}

export function judgeHold(
  origin: string,
  { heldMs, isCut }: { readonly heldMs: number; readonly isCut: boolean },
): Finding {
  if (!isCut) return ok(`${origin} keeps a quiet connection for ${readableMs(heldMs)}`);
  return warning(
    `${origin} cuts a quiet connection off after ${readableMs(heldMs)}: clients come back, and again, and lose time`,
    CUT_ADVICE,
  );
}
