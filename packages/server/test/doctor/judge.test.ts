import { expect, test } from "vitest";
import { CONFIG_DEFAULT, type Config } from "../../src/config/config.ts";
import { judgeClock } from "../../src/doctor/check-clock.ts";
import { type DiskSeen, judgeDisk } from "../../src/doctor/check-disk.ts";
import { checkExposure } from "../../src/doctor/check-exposure.ts";
import {
  judgeCertificate,
  judgeHold,
  judgeProbe,
  judgeTime,
} from "../../src/doctor/check-origin.ts";
import { judgeStore } from "../../src/doctor/check-store.ts";
import { judgeSystem } from "../../src/doctor/check-system.ts";
import type { Finding } from "../../src/doctor/finding.ts";

const GiB = 1024 ** 3;
const NOW = Date.UTC(2027, 0);
const DAY_MS = 24 * 60 * 60 * 1000;

const levels = (findings: readonly Finding[]) => findings.map(({ level }) => level);

function everythingAdvised(findings: readonly Finding[]): void {
  for (const { level, advice } of findings)
    expect([level, advice !== undefined]).toEqual([level, level !== "ok"]);
}

test.each([
  [{ nowMs: NOW, steppedMs: 0 }, "ok"],
  [{ nowMs: NOW, steppedMs: -49 }, "ok"],
  [{ nowMs: NOW, steppedMs: -60 }, "warning"],
  [{ nowMs: 0, steppedMs: 0 }, "problem"],
  [{ nowMs: Date.UTC(2101, 0), steppedMs: 0 }, "problem"],
] as const)("a clock of %j is %s", (seen, level) => {
  const finding = judgeClock(seen);
  expect(finding.level).toBe(level);
  everythingAdvised([finding]);
});

const DISK: DiskSeen = { type: 0xef53, freeBytes: 100 * GiB, freeNodes: 1e6, syncMs: [1, 2, 3] };

test.each([
  [{}, ["ok", "ok"], "1"],
  [{ type: 0x01021994 }, ["warning", "ok", "ok"], "in memory (tmpfs)"],
  [{ type: 0x6969 }, ["warning", "ok", "ok"], "(NFS)"],
  [{ type: 0x794c7630 }, ["warning", "ok", "ok"], "container"],
  [{ freeBytes: GiB }, ["warning", "ok"], "1.0 GiB are free"],
  [{ freeBytes: 1 }, ["problem", "ok"], "1 bytes are free"],
  [{ freeNodes: 5 }, ["problem", "ok"], "inodes"],
  [{ freeNodes: undefined }, ["ok", "ok"], ""],
  [{ syncMs: [] }, ["ok", "problem"], "durably"],
  [{ syncMs: Array(50).fill(60) }, ["ok", "warning"], "60 ms (p99)"],
  [{ syncMs: [...Array(49).fill(1), 800] }, ["ok", "warning"], "800 ms (p99)"],
  [{ syncMs: Array(50).fill(0.001) }, ["ok", "warning"], "no disk is that fast"],
] as const)("a disk with %j is %j", (seen, expected, says) => {
  const findings = judgeDisk("/srv/parley", { ...DISK, ...seen });
  expect(levels(findings)).toEqual(expected);
  expect(findings.map((each) => each.says).join("\n")).toContain(says);
  everythingAdvised(findings);
});

test("open files and memory are held against the connections that are wanted", () => {
  const config: Config = {
    ...CONFIG_DEFAULT,
    settings: { ...CONFIG_DEFAULT.settings, connectionsMax: 10_000 },
  };
  const seen = { openFilesMax: 20_000, memoryBytes: GiB, cores: 1 };
  expect(levels(judgeSystem(config, seen))).toEqual(["ok", "ok", "ok"]);
  const few = judgeSystem(config, { ...seen, openFilesMax: 1024 });
  expect(levels(few)).toEqual(["warning", "ok", "ok"]);
  expect(few[0]?.advice).toContain("LimitNOFILE=10064");
  const little = judgeSystem(config, { ...seen, memoryBytes: 128 * 1024 * 1024 });
  expect(levels(little)).toEqual(["ok", "warning", "ok"]);
  everythingAdvised([...few, ...little]);
});

const STORE = {
  state: "readable",
  version: 3,
  ownVersion: 3,
  isOurs: true,
  damage: [],
  mailDamage: [],
  accounts: 2,
  startedAtMs: NOW,
  bytes: 1000,
} as const;

test.each([
  [{ state: "none" }, ["ok"]],
  [{ state: "in use" }, ["ok"]],
  [{ state: "unreadable", says: "disk I/O error" }, ["problem"]],
  [STORE, ["ok"]],
  [{ ...STORE, isOurs: false }, ["problem"]],
  [{ ...STORE, damage: ["Tree 2 page 2: btreeInitPage() returns error code 11"] }, ["problem"]],
  [{ ...STORE, mailDamage: [{ file: "mail-1.log", mayBeLost: true }] }, ["ok", "warning"]],
  [{ ...STORE, version: 2 }, ["ok", "warning"]],
  [{ ...STORE, version: 4 }, ["ok", "warning"]],
  [{ ...STORE, startedAtMs: NOW + DAY_MS }, ["ok", "problem"]],
  [{ ...STORE, startedAtMs: undefined }, ["ok"]],
] as const)("a store that is %j is %j", (seen, expected) => {
  const findings = judgeStore(seen, NOW);
  expect(levels(findings)).toEqual(expected);
  everythingAdvised(findings);
});

test.each([
  ["127.0.0.1", [], "open", ["ok"]],
  ["127.0.0.1", ["http://127.0.0.1:7420"], "open", ["ok"]],
  ["127.0.0.1", ["https://chat.example"], "invitation", ["ok"]],
  ["127.0.0.1", ["https://chat.example"], "open", ["warning"]],
  ["0.0.0.0", ["http://10.0.0.1:7420"], "closed", ["warning"]],
  ["0.0.0.0", ["http://10.0.0.1:7420"], "open", ["warning", "warning"]],
] as const)("%s with %j and sign-up %s is %j", (host, origins, signUp, expected) => {
  const settings = { ...CONFIG_DEFAULT.settings, origins, signUp };
  const findings = checkExposure({ ...CONFIG_DEFAULT, host, settings });
  expect(levels(findings)).toEqual(expected);
  everythingAdvised(findings);
});

test("an internal port that is open to others is warned of", () => {
  const metrics = { enabled: true, host: "0.0.0.0", port: 7421 };
  expect(levels(checkExposure({ ...CONFIG_DEFAULT, metrics }))).toEqual(["warning"]);
  expect(
    levels(checkExposure({ ...CONFIG_DEFAULT, metrics: { ...metrics, enabled: false } })),
  ).toEqual(["ok"]);
});

const answered = (status: number) =>
  ({ kind: "answered", status, location: "https://b.example/", server: "nginx" }) as const;
const unreachable = (code: string) => ({ kind: "unreachable", code, says: "why" }) as const;

test.each([
  [{ kind: "challenge", serverTimeMs: NOW, tookMs: 3 }, "a Parley server answers"],
  [answered(426), "without its Upgrade header"],
  [answered(400), "without its Upgrade header"],
  [answered(301), "sends clients to https://b.example/"],
  [answered(404), "404 (from nginx)"],
  [answered(429), "too many connections"],
  [answered(502), "does not reach the server"],
  [answered(200), "as if it were a page"],
  [answered(403), "403"],
  [{ kind: "wrong accept" }, "wrong key"],
  [{ kind: "silent" }, "no frame comes through"],
  [{ kind: "not Parley" }, "not a Parley server"],
  [unreachable("ENOTFOUND"), "no address"],
  [unreachable("ECONNREFUSED"), "nobody listens"],
  [unreachable("ETIMEDOUT"), "no answer"],
  [unreachable("CERT_HAS_EXPIRED"), "expired"],
  [unreachable("DEPTH_ZERO_SELF_SIGNED_CERT"), "does not trust"],
  [unreachable("ERR_TLS_CERT_ALTNAME_INVALID"), "another name's"],
  [{ kind: "unreachable", code: "EPROTO", says: "alert no application protocol" }, "HTTP/2 only"],
  [unreachable("EPROTO"), "does not speak TLS as"],
  [unreachable("ECONNRESET"), "why"],
] as const)("of %j it says what is wrong", (probe, says) => {
  const finding = judgeProbe("https://a.example", probe);
  expect(finding.says).toContain(says);
  expect(finding.level).toBe(probe.kind === "challenge" ? "ok" : "problem");
  everythingAdvised([finding]);
});

test("clocks that are apart, a certificate that ends and a connection that is cut are warned of", () => {
  const challenge = { kind: "challenge", serverTimeMs: NOW, tookMs: 1 } as const;
  const ends = (days: number) => ({ ...challenge, certificateEndsMs: NOW + days * DAY_MS });
  expect(judgeTime("a", NOW, NOW - 9_000)).toEqual([]);
  expect(judgeTime("a", NOW, NOW - 11_000)[0]?.says).toContain("11 s apart");
  expect(judgeCertificate("a", challenge, NOW)).toEqual([]);
  expect(judgeCertificate("a", ends(15), NOW)).toEqual([]);
  expect(judgeCertificate("a", ends(13), NOW)[0]?.says).toContain("in 13 days");
  expect(judgeHold("a", { heldMs: 70_000, isCut: false }).level).toBe("ok");
  expect(judgeHold("a", { heldMs: 30_000, isCut: true }).level).toBe("warning");
});
