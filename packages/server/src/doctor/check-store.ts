import type { StoreSeen } from "../compose.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { readableBytes } from "./readable.ts";

const { ok, warning, problem } = findingsOf("store");
/** Two machines' clocks may differ by that much without anybody noticing. */
const AHEAD_MS_MAX = 60_000;
const PUT_BACK =
  "put back the last copy of the data folder that was whole, and keep this one aside";

export function judgeStore(seen: StoreSeen, nowMs: number): Finding[] {
  switch (seen.state) {
    case "none":
      return [ok("there is none yet: the server makes it")];
    case "in use":
      return [ok("a server runs on it, so it is not looked at from here")];
    case "unreadable":
      return [problem(`it cannot be read: ${seen.says}`, `look at the disk (dmesg); ${PUT_BACK}`)];
    case "readable":
      return judgeReadable(seen, nowMs);
  }
}

type Readable = Extract<StoreSeen, { readonly state: "readable" }>;

function judgeReadable(seen: Readable, nowMs: number): Finding[] {
  const { version, ownVersion, isOurs, damage, mailDamage, accounts, startedAtMs, bytes } = seen;
  const [first] = damage;
  if (!isOurs) return [problem("parley.db is not Parley's", "name another data folder (--data)")];
  if (first !== undefined)
    return [problem(`it is damaged (${damage.length} findings, the first: ${first})`, PUT_BACK)];
  const findings = [
    ok(`sound, version ${version}, ${accounts} accounts, ${readableBytes(bytes)} in the folder`),
  ];
  for (const { file, mayBeLost } of mailDamage)
    findings.push(
      warning(
        `${file} is damaged${mayBeLost ? ", and some of what was accepted may be lost" : ", where nothing is lost"}`,
        "start the server: clients offer again what they have; then look at the disk (dmesg)",
      ),
    );
  if (version < ownVersion)
    findings.push(
      warning(
        `it has version ${version}, and this Parley makes it ${ownVersion} when it starts`,
        "copy the data folder first: an older Parley may not read it any more",
      ),
    );
  if (version > ownVersion)
    findings.push(
      warning(
        `it has version ${version}, from a newer Parley; this one writes ${ownVersion}`,
        "start the newer one; this one starts only where the newer only added to the store",
      ),
    );
  if (startedAtMs !== undefined && startedAtMs > nowMs + AHEAD_MS_MAX)
    findings.push(
      problem(
        `the server last started at ${new Date(startedAtMs).toISOString()}, which is in the future`,
        "set the clock right: it was ahead then, or is behind now",
      ),
    );
  return findings;
}
