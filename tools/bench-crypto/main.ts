/**
 * `npm run bench:crypto`: ours in Node and in Chromium beside the official library in Node, in turns, so that a
 * busy machine is busy for all. Tables for a person, then one JSON line. `--seconds 0.2` for a quick look.
 */
import { parseArgs } from "node:util";
import { ChromiumWithBundle } from "../../packages/crypto/test/fixtures/chromium.ts";
import { installPeer } from "../interop/install.ts";
import { bundleSize } from "./bundle-size.ts";
import { SideProcess } from "./questions.ts";
import { FAN_OUT_DEVICES } from "./session-workloads.ts";
import { COMPARED, type Compared, OWN, type Own, type Question } from "./side.ts";

const ROUNDS = 3;

const { values } = parseArgs({ options: { seconds: { type: "string", default: "1" } } });
const milliseconds = Number(values.seconds) * 1000;

await installPeer();
const ours = new SideProcess(new URL("node-side.ts", import.meta.url));
const peer = new SideProcess(new URL("../interop/bench/peer-side.ts", import.meta.url));
const browser = await ChromiumWithBundle.open(new URL("browser-jobs.ts", import.meta.url));

interface Side {
  readonly name: string;
  ask(question: Question): Promise<number>;
}

const sides = {
  ours: { name: "ours in Node", ask: (question) => ours.ask(question) },
  peer: { name: "libsignal in Node", ask: (question) => peer.ask(question) },
  browser: {
    name: "ours in Chromium",
    ask: (question) => browser.run<number>("worker", "measure", question),
  },
} satisfies Record<string, Side>;

try {
  const compared = await comparedRates();
  const node = await ownRates(sides.ours);
  const inBrowser = await ownRates(sides.browser);
  printTables(compared, { node, browser: inBrowser });
  const { gzipKiB, onDemandKiB, withProtocolKiB } = await bundleSize();
  console.log(
    `bundle, gzipped: ${rounded(gzipKiB)} KiB; ${rounded(onDemandKiB)} more with the first file, backup or group, or where a browser lacks a primitive; ` +
      `with the schema and protobuf ${rounded(withProtocolKiB)} KiB`,
  );
  console.log(
    JSON.stringify({
      ...compared,
      bundleGzipKiB: rounded(gzipKiB),
      attachmentRatio: rounded(Math.min(attachmentRatio(node), attachmentRatio(inBrowser))),
      pqShareOfPingPong: rounded(pqShare(compared.ours, node)),
      fanOut512Ms: rounded(1000 / node.fanOutPerSecond),
    }),
  );
} finally {
  ours.close();
  peer.close();
  await browser.close();
}

type ComparedRates = Record<keyof typeof sides, Record<Compared, number>>;
type OwnRates = Record<Own, number>;

/** Of each its best round: other work on the machine only ever takes away. */
async function comparedRates(): Promise<ComparedRates> {
  const rates = { ours: {}, peer: {}, browser: {} } as ComparedRates;
  for (const workload of COMPARED)
    for (let round = 0; round < ROUNDS; round++)
      for (const side of Object.keys(sides) as (keyof typeof sides)[]) {
        const rate = Math.round(await sides[side].ask({ workload, milliseconds }));
        rates[side][workload] = Math.max(rates[side][workload] ?? 0, rate);
      }
  return rates;
}

/** In turns too: what is set in relation was measured in the same minute. */
async function ownRates(side: Side): Promise<OwnRates> {
  const rates = {} as OwnRates;
  for (let round = 0; round < ROUNDS; round++)
    for (const workload of OWN) {
      const rate = await side.ask({ workload, milliseconds });
      rates[workload] = Math.max(rates[workload] ?? 0, rate);
    }
  return rates;
}

/** Whichever is slower beside bare AES-GCM, sealing or opening. */
function attachmentRatio(rates: OwnRates): number {
  return Math.min(
    rates.sealMibPerSecond / rates.bareSealMibPerSecond,
    rates.openMibPerSecond / rates.bareOpenMibPerSecond,
  );
}

function pqShare(compared: Record<Compared, number>, own: OwnRates): number {
  return compared.pingPongPerSecond / own.pqPingPongPerSecond;
}

function printTables(
  { ours: node, peer: official, browser: chromium }: ComparedRates,
  own: { readonly node: OwnRates; readonly browser: OwnRates },
): void {
  const table = COMPARED.map((workload) => ({
    workload,
    [sides.ours.name]: node[workload],
    [sides.peer.name]: official[workload],
    "ours / libsignal": rounded(node[workload] / official[workload]),
    [sides.browser.name]: chromium[workload],
  }));
  console.log(`255-byte contents; sessions and receiving keys are read from bytes and written for every message;
best of ${ROUNDS} rounds of ${values.seconds} s, in turns; in Node by the processor's time, in Chromium by the wall clock`);
  console.table(table);
  const line = (name: string, rates: OwnRates, pingPong: Record<Compared, number>) => ({
    side: name,
    "SPQR's share of ping-pong": rounded(pqShare(pingPong, rates)),
    [`fan-out to ${FAN_OUT_DEVICES} devices, ms`]: rounded(1000 / rates.fanOutPerSecond),
    "seal, MiB/s": Math.round(rates.sealMibPerSecond),
    "open, MiB/s": Math.round(rates.openMibPerSecond),
    "bare AES-GCM seal, MiB/s": Math.round(rates.bareSealMibPerSecond),
    "bare AES-GCM open, MiB/s": Math.round(rates.bareOpenMibPerSecond),
  });
  console.table([
    line(sides.ours.name, own.node, node),
    line(sides.browser.name, own.browser, chromium),
  ]);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
