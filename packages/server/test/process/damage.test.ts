import { cpSync, rmSync } from "node:fs";
import { ErrorCode, toHex } from "@parley/protocol";
import { afterAll, expect, test } from "vitest";
import type { EmbeddedServer } from "../../src/compose.ts";
import { SETTINGS_DEFAULT } from "../../src/settings.ts";
import { type Damaged, damageFolder, drawn } from "../fixtures/damaged-folder.ts";
import { connect, testFolder, testServer } from "../fixtures/embedded.ts";
import { Person, prekeysOf } from "../fixtures/person.ts";
import { logTo } from "../fixtures/store.ts";
import { again, member } from "../fixtures/talk.ts";
import { type Refused, textOf, type WireClient } from "../fixtures/wire-client.ts";

const SEEDS = Number(process.env["PARLEY_SEEDS"] ?? "200");
const MEG = 1024 * 1024;
const STORE = { ...SETTINGS_DEFAULT.store, writer: "main", logFileBytes: 2 * MEG } as const;
const PREKEYS = Array.from({ length: 20 }, (_, i) => 1 + i);

interface Said {
  readonly to: Person;
  readonly text: string;
  readonly epoch: string;
  readonly mark: bigint;
}

interface Town {
  /** As the disk of a machine has it that died at that moment. */
  readonly folder: string;
  readonly people: readonly [alice: Person, bob: Person, carol: Person];
  readonly said: readonly Said[];
}

/** Mail in the log, in the store's own log, and in the store's file; people, and what belongs to them. */
async function town(): Promise<Town> {
  const dataFolder = testFolder();
  const people = [new Person("alice"), new Person("bob"), new Person("carol")] as const;
  const [alice, bob, carol] = people;
  const said: Said[] = [];
  let server = testServer({ dataFolder, config: { store: STORE } });
  const [a, b, c] = await Promise.all(people.map((person) => member(server, person)));
  const oneTime = prekeysOf(bob.phone, { oneTime: PREKEYS });
  await b?.request("uploadPrekeys", { case: "uploadPrekeys", value: oneTime });
  b?.wire?.close();
  c?.wire?.close();
  await say(a as WireClient, { from: alice, to: [bob, carol], said, count: 80, bytes: 40_000 });
  await server.stop();
  server = testServer({ dataFolder, config: { store: STORE } });
  const back = await again(server, alice);
  await say(back, { from: alice, to: [bob, carol], said, count: 80, bytes: 40_000 });
  const late = new Person("dora");
  await connect(server).signUp(late);
  await say(back, { from: alice, to: [bob, carol, late], said, count: 40, bytes: 300 });
  const folder = testFolder();
  cpSync(dataFolder, folder, { recursive: true });
  server.kill();
  return { folder, people, said };
}

interface Saying {
  readonly from: Person;
  readonly to: readonly Person[];
  readonly said: Said[];
  readonly count: number;
  readonly bytes: number;
}

async function say(client: WireClient, { from, to, said, count, bytes }: Saying): Promise<void> {
  for (let i = 0; i < count; i++) {
    const recipient = to[i % to.length] as Person;
    const text = `${said.length} ${"x".repeat(bytes)}`;
    const { outcome } = await client.send(from, recipient, { text });
    if (outcome.case !== "accepted") throw new Error(`not accepted: ${outcome.case}`);
    const { epoch, mark } = outcome.value;
    said.push({ to: recipient, text, epoch: toHex(epoch), mark });
  }
}

/** Opens what is there; a refusal comes as its words. */
function open(folder: string): { server: EmbeddedServer; lines: string[] } | string {
  const lines: string[] = [];
  try {
    const server = testServer({ dataFolder: folder, config: { store: STORE }, log: logTo(lines) });
    return { server, lines };
  } catch (cause) {
    return (cause as Error).message;
  }
}

interface Served {
  readonly texts: ReadonlySet<string>;
  /** What the device would ask everybody for. */
  readonly isSkipped: boolean;
  /** The epochs of the server, as it tells whoever knows none. Undefined: the account is gone, and comes back. */
  readonly epochs: readonly { readonly id: Uint8Array; readonly floor: bigint }[] | undefined;
}

async function served(server: EmbeddedServer, person: Person): Promise<Served> {
  const client = connect(server);
  client.acksByItself = true;
  try {
    await client.hello(person);
  } catch (cause) {
    expect((cause as Refused).code).toBe(ErrorCode.NOT_FOUND);
    return { texts: new Set(), isSkipped: false, epochs: undefined };
  }
  await client.drain();
  const { epochs, skipped } = await again(server, person).then((other) => other.frame("welcome"));
  return { texts: new Set(client.delivered.map(textOf)), isSkipped: skipped, epochs };
}

/** delivery.md 5: what was accepted in an epoch that is not known, or above the floor of the next one. */
function isOfferedAgain({ epoch, mark }: Said, epochs: Served["epochs"]): boolean {
  const place = epochs?.findIndex(({ id }) => toHex(id) === epoch) ?? -1;
  const next = epochs?.[place + 1];
  return place < 0 || next === undefined || mark > next.floor;
}

/** Opened with damage: what is served is what was sent, and what is missing comes back. */
async function checkServed(server: EmbeddedServer, { people, said }: Town): Promise<number> {
  const [alice, bob, carol] = people;
  const sent = new Set(said.map(({ text }) => text));
  const { epochs } = await served(server, alice);
  let missing = 0;
  for (const person of [bob, carol]) {
    const { texts, isSkipped, ...own } = await served(server, person);
    for (const text of texts) expect(sent.has(text)).toBe(true);
    for (const each of said)
      if (each.to === person && !texts.has(each.text)) {
        missing++;
        const comesBack = isSkipped || isOfferedAgain(each, epochs ?? own.epochs);
        expect(comesBack, `${each.text.slice(0, 20)} is missing, and nobody is told`).toBe(true);
      }
  }
  return missing;
}

/** Keys that are served are those that were uploaded: their owner's signature holds. */
async function checkKeys(server: EmbeddedServer, { people: [alice, bob] }: Town): Promise<void> {
  const client = connect(server);
  if ((await client.hello(alice).catch(() => undefined)) === undefined) return;
  const value = { accountId: bob.accountId };
  const chain = await client
    .request("fetchAccountChain", { case: "fetchAccountChain", value })
    .catch(() => undefined);
  for (const [i, { body, signature }] of (chain?.entries ?? []).entries()) {
    expect(Buffer.from(body).equals(Buffer.from(bob.entries[i]?.body ?? []))).toBe(true);
    expect(Buffer.from(signature).equals(Buffer.from(bob.entries[i]?.signature ?? []))).toBe(true);
  }
}

const counted = { refused: 0, named: 0, unseen: 0, missing: 0 };
afterAll(() => console.log(`damage, ${SEEDS} seeds: ${JSON.stringify(counted)}`));

test(`${SEEDS} times a file is damaged: refused with its name, or named, and nothing damaged is served`, async () => {
  const { folder, ...rest } = await town();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const copy = testFolder();
    cpSync(folder, copy, { recursive: true });
    const damaged = damageFolder(copy, drawn(seed));
    if (damaged !== undefined) await checkDamaged(seed, damaged, { folder: copy, ...rest });
    rmSync(copy, { recursive: true });
  }
  expect(counted.refused).toBeGreaterThan(SEEDS / 10);
  expect(counted.named).toBeGreaterThan(SEEDS / 10);
}, 120_000);

async function checkDamaged(seed: number, { file, how, at }: Damaged, town: Town): Promise<void> {
  const opened = open(town.folder);
  const what = `seed ${seed}: ${how} at ${at} of ${file}`;
  if (typeof opened === "string") {
    counted.refused++;
    expect(opened, what).toContain(file);
    return;
  }
  const { server, lines } = opened;
  const isNamed = lines.some((line) => line.includes("damaged") && line.includes(file));
  try {
    const missing = await checkServed(server, town);
    await checkKeys(server, town);
    counted[isNamed ? "named" : "unseen"]++;
    counted.missing += missing;
    // What was not named did no harm but that of a crash: the end of what nobody was told of.
    if (!isNamed && how === "one bit") expect(missing, what).toBe(0);
  } catch (cause) {
    throw new Error(what, { cause });
  } finally {
    server.kill();
  }
}
