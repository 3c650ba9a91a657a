import { cpSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { type Canary, filesIn, type Haystack, scan } from "./fixtures/canary-scan.ts";
import { CanaryTalk } from "./fixtures/canary-talk.ts";
import { startServer } from "./fixtures/people.ts";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";
import { TEXT_WRITTEN_AS, WRITTEN_AS } from "./fixtures/written.ts";

const DATABASE = "parley.db";

test("nothing that two people say, name or hold is in what their server keeps or logs", async () => {
  const talk = new CanaryTalk(await startServer());
  await talk.signUp();
  await talk.chat("before the kill");
  await talk.keepKeys();
  await talk.server.kill();
  const afterKill = talk.kept;
  await talk.server.start();
  await talk.chat("after the kill");
  await talk.beRefused();
  await talk.leaveMail();
  await talk.keepKeys();
  await talk.server.kill();

  const kinds = new Set(talk.secrets.map(({ name }) => name.replace(/^.*'s /, "")));
  console.log(`${talk.secrets.length} secrets of ${kinds.size} kinds: ${[...kinds].join(", ")}`);
  for (const kept of [afterKill, talk.kept]) {
    expect(kept.filter(isLog).map(({ bytes }) => bytes.length > 0)).toEqual([true]);
    expect(scan([...kept, talk.log], talk.secrets)).toEqual([]);
  }
  expect(scan([talk.log], talk.handles)).toEqual([]);

  // The same scan sees: what the server is meant to have is found where it was looked for.
  expect(talk.server.log.match(/"event":"listening"/g)).toHaveLength(2);
  const known = [...talk.handles, ...ciphertextsOf(talk), ...accountIdsOf(talk)];
  const found = new Set(scan(talk.kept, known).map((hit) => hit.canary));
  expect(found).toEqual(new Set(["handle", "ciphertext", "account id"]));
  for (const one of known) expect([one, scan(talk.kept, [one])]).not.toEqual([one, []]);
  expect(plantedButNotFound(talk)).toEqual([]);
}, 120_000);

function isLog({ place }: Haystack): boolean {
  return place.endsWith("-wal");
}

function accountIdsOf({ accountIds }: CanaryTalk): Canary[] {
  return accountIds.map((id) => ({ name: "account id", secret: Buffer.from(id, "hex") }));
}

/** Field 9 of an envelope: the account that it came from, which the server writes behind the ciphertext. */
const SOURCE_ACCOUNT = Uint8Array.of((9 << 3) | 2, 16);

/** From what waits in the mailboxes, as it lies in the mail log. */
function ciphertextsOf({ kept, accountIds }: CanaryTalk): Canary[] {
  const logs = kept.filter(({ place }) => /mail-\d\.log$/.test(place));
  const sources = accountIds.map((id) => Buffer.concat([SOURCE_ACCOUNT, Buffer.from(id, "hex")]));
  const found = logs.flatMap(({ bytes }) =>
    sources.flatMap((source) => {
      const log = Buffer.from(bytes);
      const at = log.indexOf(source);
      return at < 0 ? [] : [{ name: "ciphertext", secret: log.subarray(at - 48, at) }];
    }),
  );
  expect(found).not.toEqual([]);
  return found;
}

/** Of every secret as every kind of writer writes it, into rows of a copy that stand in its log. */
function plantedButNotFound(talk: CanaryTalk): string[] {
  const database = openCopy(talk);
  database.exec("PRAGMA wal_autocheckpoint = 0; CREATE TABLE planted (bytes BLOB)");
  const insert = database.prepare("INSERT INTO planted VALUES (?)");
  const missed: string[] = [];
  for (const { name, secret } of onePerName(talk.secrets)) {
    const writers = { ...WRITTEN_AS, ...(typeof secret === "string" ? TEXT_WRITTEN_AS : {}) };
    for (const [encoding, write] of Object.entries(writers)) {
      database.exec("DELETE FROM planted");
      insert.run(write(secret as string, "x"));
      const kept = filesIn(join(database.location() ?? "", "..")).filter(isLog);
      if (scan(kept, [{ name, secret }]).length === 0) missed.push(`${name} as ${encoding}`);
    }
  }
  database.close();
  return missed;
}

function onePerName(canaries: readonly Canary[]): Canary[] {
  return [...new Map(canaries.map((one) => [one.name, one])).values()];
}

function openCopy({ server }: CanaryTalk): DatabaseSync {
  const folder = temporaryFolder();
  cpSync(server.dataFolder, folder, { recursive: true });
  return new DatabaseSync(join(folder, DATABASE));
}
