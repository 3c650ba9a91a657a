import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  AccountHeadSchema,
  BackupHeaderSchema,
  type BackupRecord,
  BackupRecordSchema,
  SessionRecordSchema,
} from "@parley/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkBackupSchema } from "../../src/backup/backup-guard.ts";
import { backupCipher } from "../../src/backup/backup-header.ts";
import { framed, RECORD_BYTES_MAX } from "../../src/backup/record-frames.ts";
import {
  BACKUP_TYPES,
  type BackupPlace,
  beginBackup,
  checkBackupPlace,
  deriveRecoveredKeys,
  openBackup,
} from "../../src/index.ts";
import { webChunkAead as aead } from "../../src/platform/web-chunk-aead.ts";
import { sealStream } from "../../src/stream/seal-stream.ts";
import { makeStreamHeader, parseStreamHeader, StreamKind } from "../../src/stream/stream-header.ts";
import { collect, inPieces, joined, oneByOne } from "../fixtures/bytes.ts";
import { seededRandom } from "../fixtures/random.ts";

const CHUNK = 65_536;
const random = seededRandom("backup");
const keys = deriveRecoveredKeys(random(20));
const owner = { keys, accountId: random(16) };
const deviceSeed = random(32);
const ownHead = create(AccountHeadSchema, { era: 2, version: 3, hash: random(16) });
const code = (name: string) => expect.objectContaining({ code: name });

type Init = MessageInitShape<typeof BackupRecordSchema>["record"];
const recordOf = (record: Init): BackupRecord => create(BackupRecordSchema, { record } as never);

function entry(bodyBytes: number): BackupRecord {
  return recordOf({
    case: "entry",
    value: {
      conversation: random(16),
      accountId: random(16),
      deviceId: 3,
      entry: { head: random(60), body: new Uint8Array(bodyBytes).fill(5) },
      place: 9,
      receivedAtMs: 1_700_000_000_000n,
    },
  });
}
const profileKey = (key = random(32)) =>
  recordOf({ case: "profileKey", value: { id: random(4), key } });
const RECORDS: readonly BackupRecord[] = [
  recordOf({
    case: "contact",
    value: { accountId: random(16), handle: "bob", rootKey: random(32), verified: true },
  }),
  recordOf({ case: "settings", value: { lastSeen: true } }),
  profileKey(),
  entry(100),
];

interface Options {
  readonly records?: readonly BackupRecord[];
  readonly previous?: BackupPlace | undefined;
}

async function made({ records = RECORDS, previous }: Options = {}) {
  const options = { aead, random, owner, ownHead, previous, neverInside: [deviceSeed] };
  const { place, seal } = await beginBackup(options);
  const bytes = await collect(seal(records));
  return { place, bytes, headerBytes: bytes.length - sealedBytesBehind(bytes) };
}
const sealedBytesBehind = (bytes: Uint8Array) =>
  bytes.length - 37 - (((bytes[35] as number) << 8) | (bytes[36] as number));

type Open = { readonly known?: BackupPlace | undefined; readonly as?: typeof owner };

async function restored(bytes: Uint8Array, { known, as = owner }: Open = {}) {
  const { header, place, records } = await openBackup({ aead, owner: as, known }, [bytes]);
  const all: BackupRecord[] = [];
  for await (const record of records) all.push(record);
  return { header, place, records: all };
}

describe("a backup", () => {
  test("gives back its records, its place and the head that it was made under", async () => {
    const { bytes, place } = await made();
    const back = await restored(bytes);
    expect(back.records).toEqual(RECORDS);
    expect(back.place).toEqual(place);
    expect(back.header).toMatchObject({ sequence: 1n, accountId: owner.accountId, ownHead });
    expect(back.header.previousHash).toHaveLength(0);
  });

  test("of any size is read in any pieces", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(80_000), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 }),
        async (bodies, sizes) => {
          const records = bodies.map(entry);
          const { bytes } = await made({ records });
          const { records: read } = await openBackup(
            { aead, owner, known: undefined },
            inPieces(bytes, sizes),
          );
          for (const record of records) expect((await read.next()).value).toEqual(record);
          expect((await read.next()).done).toBe(true);
        },
      ),
      { numRuns: 40 },
    ));

  test("of nothing, of records that fill their padding, and byte by byte, is read", async () => {
    expect((await restored((await made({ records: [] })).bytes)).records).toEqual([]);
    let tried = 0;
    for (let body = 3900; body < 4050; body++) {
      const records = [entry(body)];
      const { bytes } = await made({ records });
      if (sealedBytesBehind(bytes) === 4096 + 16) tried++;
      expect((await restored(bytes)).records).toEqual(records);
    }
    expect(tried).toBeGreaterThan(10);
    const { bytes } = await made();
    const { records } = await openBackup({ aead, owner, known: undefined }, oneByOne(bytes));
    expect((await records.next()).value).toEqual(RECORDS[0]);
  });

  test("hides how much is inside, and is never the same twice", async () => {
    const [small, larger] = [await made({ records: [] }), await made()];
    expect(small.bytes.length).toBe(larger.bytes.length);
    const again = await made({ records: [] });
    expect(again.bytes.slice(small.headerBytes)).not.toEqual(small.bytes.slice(small.headerBytes));
  });

  test("is sealed once", async () => {
    const options = { aead, random, owner, ownHead, previous: undefined, neverInside: [] };
    const { seal } = await beginBackup(options);
    await collect(seal([]));
    expect(() => seal([])).toThrow(code("misuse"));
  });

  test("closes its source when a restore is left early, or refused", async () => {
    const { bytes } = await made({ records: Array.from({ length: 20 }, () => entry(50_000)) });
    let closed = 0;
    function* source(of: Uint8Array) {
      try {
        yield* inPieces(of, [1000]);
      } finally {
        closed += 1;
      }
    }
    const { records } = await openBackup({ aead, owner, known: undefined }, source(bytes));
    for await (const _ of records) break;
    expect(closed).toBe(1);
    const other = { ...owner, accountId: random(16) };
    const wrong = openBackup({ aead, owner: other, known: undefined }, source(bytes));
    await expect(wrong).rejects.toThrow(code("wrong-key"));
    expect(closed).toBe(2);
  });
});

describe("never inside a backup", () => {
  const sealing = async (records: readonly BackupRecord[], neverInside = [deviceSeed]) => {
    const options = { aead, random, owner, ownHead, previous: undefined, neverInside };
    return await collect((await beginBackup(options)).seal(records));
  };

  test("is any type but those listed, at any depth of the schema", () => {
    const reached = new Set<string>();
    checkBackupSchema(BackupRecordSchema, reached);
    expect(reached).toEqual(BACKUP_TYPES);
    for (const name of reached) expect(name).not.toMatch(/session|prekey|ratchet|sender|identity/i);
    expect(() => checkBackupSchema(SessionRecordSchema)).toThrow(code("misuse"));
    const fields = BackupRecordSchema.fields;
    const holdingSession = {
      typeName: "parley.crypto.v1.BackupEntry",
      fields: [...fields, { message: SessionRecordSchema }],
    } as unknown as DescMessage;
    expect(() => checkBackupSchema(holdingSession)).toThrow(code("misuse"));
  });

  test("is a session, to the compiler and when it runs", async () => {
    const session = create(SessionRecordSchema, { current: { rootKey: random(32) } });
    // @ts-expect-error a SessionRecord is no BackupRecord
    await expect(sealing([session])).rejects.toThrow("not a record of a backup");
    // @ts-expect-error nor are keys of a recovery code
    await expect(sealing([keys])).rejects.toThrow(code("misuse"));
    const smuggled = { ...RECORDS[0], record: { case: "session", value: session } };
    await expect(sealing([smuggled as never])).rejects.toThrow(code("misuse"));
  });

  test.each([
    ["the device's seed", deviceSeed],
    ["the backup key", keys.backupKey],
  ])("is %s, in whatever field", async (_, secret) => {
    const contact = { accountId: random(16), rootKey: secret };
    const body = joined([random(7), secret, random(3)]);
    const value = { conversation: random(16), accountId: random(16), deviceId: 1 };
    for (const record of [
      profileKey(secret),
      recordOf({ case: "contact", value: contact }),
      recordOf({ case: "entry", value: { ...value, entry: { head: random(9), body } } }),
    ])
      await expect(sealing([RECORDS[0] as BackupRecord, record])).rejects.toThrow(code("misuse"));
    const other = secret.with(31, (secret[31] as number) ^ 1);
    await expect(sealing([profileKey(other)])).resolves.toBeInstanceOf(Uint8Array);
  });

  test("is a field that the schema does not name", async () => {
    const record = profileKey();
    record.$unknown = [{ no: 99, wireType: 2, data: joined([Uint8Array.of(32), random(32)]) }];
    const value = record.record.value as { $unknown?: unknown };
    value.$unknown = record.$unknown;
    const options = { aead, random, owner, ownHead, previous: undefined, neverInside: [] };
    const bytes = await collect((await beginBackup(options)).seal([record]));
    const [back] = (await restored(bytes)).records;
    expect(back).toBeDefined();
    for (const part of [back, back?.record.value])
      expect((part as { $unknown?: unknown }).$unknown).toBeUndefined();
  });

  test("is a record outside its limits, or none at all", async () => {
    await expect(sealing([profileKey(random(33))])).rejects.toThrow(code("misuse"));
    await expect(sealing([create(BackupRecordSchema)])).rejects.toThrow(code("misuse"));
    await expect(sealing([], [random(8)])).rejects.toThrow(code("misuse"));
  });
});

describe("a restore is refused", () => {
  test("under another recovery code, or for another account", async () => {
    const { bytes } = await made();
    const other = deriveRecoveredKeys(random(20));
    for (const as of [
      { ...owner, keys: other },
      { ...owner, accountId: random(16) },
    ])
      await expect(restored(bytes, { as })).rejects.toThrow(code("wrong-key"));
    const claimed = { ...owner, keys: { ...other, backupId: keys.backupId } };
    await expect(restored(bytes, { as: claimed })).rejects.toThrow(code("not-authentic"));
  });

  test("where a bit was changed, anywhere", async () => {
    const { bytes } = await made();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const changed = bytes.with(bit >> 3, (bytes[bit >> 3] as number) ^ (1 << (bit & 7)));
        await expect(restored(changed)).rejects.toThrow(
          code(
            expect.stringMatching(
              /^(not-authentic|malformed|truncated|wrong-key|unsupported-version)$/,
            ) as never,
          ),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("before its header is believed, where the first chunk is not genuine", async () => {
    const { bytes, headerBytes } = await made();
    const forged = bytes.with(headerBytes - 3, (bytes[headerBytes - 3] as number) ^ 1);
    for (const wrong of [forged, bytes.with(headerBytes + 9, 1), bytes.slice(0, headerBytes + 20)])
      await expect(openBackup({ aead, owner, known: undefined }, [wrong])).rejects.toThrow();
  });

  test("where it was cut off, and nothing opened says that it is whole", async () => {
    const { bytes, headerBytes } = await made({ records: [entry(80_000), entry(80_000)] });
    const ends = [0, 36, headerBytes - 1, headerBytes, headerBytes + 9, headerBytes + CHUNK + 16];
    for (const end of [...ends, headerBytes + CHUNK + 500, bytes.length - 1])
      await expect(restored(bytes.slice(0, end))).rejects.toThrow(code("truncated"));
  });

  test("where something was added, left out or put elsewhere", async () => {
    const { bytes, headerBytes } = await made({
      records: [entry(80_000), entry(80_000), entry(80_000)],
    });
    const [header, at] = [bytes.slice(0, headerBytes), headerBytes];
    const chunk = (i: number) => bytes.slice(at + i * (CHUNK + 16), at + (i + 1) * (CHUNK + 16));
    const other = await made({ records: [entry(80_000), entry(80_000), entry(80_000)] });
    for (const wrong of [
      joined([bytes, chunk(0)]),
      joined([header, chunk(1), chunk(0), bytes.slice(at + 2 * (CHUNK + 16))]),
      joined([header, chunk(0), bytes.slice(at + 2 * (CHUNK + 16))]),
      joined([header, other.bytes.slice(other.headerBytes)]),
    ])
      await expect(restored(wrong)).rejects.toThrow(
        code(expect.stringMatching(/^(not-authentic|truncated)$/) as never),
      );
  });

  test("where a newer version made it, stream or records", async () => {
    const { bytes } = await made();
    await expect(restored(bytes.with(0, 2))).rejects.toThrow(code("unsupported-version"));
    await expect(restored(bytes.with(0, 0))).rejects.toThrow(code("malformed"));
    const header = { ...(await restored(bytes)).header, recordsVersion: 2 };
    const extra = toBinary(BackupHeaderSchema, create(BackupHeaderSchema, header));
    const newer = makeStreamHeader(StreamKind.backup, random(32), extra);
    const cipher = await backupCipher(aead, owner, newer);
    const sealed = await collect(sealStream(cipher, framed([])));
    await expect(restored(sealed)).rejects.toThrow(code("unsupported-version"));
    await expect(restored(await sealedAnew(bytes, [Uint8Array.of(0xfa, 0x01, 0)]))).rejects.toThrow(
      code("unsupported-version"),
    );
  });

  test("where genuine bytes are no records", async () => {
    const { bytes } = await made();
    for (const wrong of [[Uint8Array.of(0xff)], [Uint8Array.of(0x2a, 1, 0x08)]])
      await expect(restored(await sealedAnew(bytes, wrong))).rejects.toThrow(code("malformed"));
    const header = parseStreamHeader(bytes.slice(0, bytes.length - sealedBytesBehind(bytes)), 3);
    const raw = async (plain: Uint8Array) =>
      await collect(sealStream(await backupCipher(aead, owner, header), [plain]));
    for (const plain of [
      Uint8Array.of(5, 1),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1),
      Uint8Array.of(0x80),
      Uint8Array.of(0, 0, 7),
    ])
      await expect(restored(await raw(plain))).rejects.toThrow();
    await expect(collect(framed([new Uint8Array(RECORD_BYTES_MAX + 1)]))).rejects.toThrow(
      code("misuse"),
    );
  });

  /** Other records under the same header: what only a holder of the key can make. */
  async function sealedAnew(bytes: Uint8Array, records: readonly Uint8Array[]) {
    const headerBytes = bytes.length - sealedBytesBehind(bytes);
    const header = parseStreamHeader(bytes.slice(0, headerBytes), StreamKind.backup);
    return await collect(sealStream(await backupCipher(aead, owner, header), framed(records)));
  }
});

describe("a device that knows of a backup", () => {
  test("takes that one, the next and later ones", async () => {
    const first = await made();
    const second = await made({ previous: first.place });
    const third = await made({ previous: second.place });
    expect(third.place.sequence).toBe(3n);
    for (const { bytes, place } of [first, second, third])
      expect((await restored(bytes, { known: first.place })).place).toEqual(place);
    expect((await restored(second.bytes)).header.previousHash).toEqual(first.place.hash);
  });

  test("refuses an older one, and one of another history", async () => {
    const first = await made();
    const second = await made({ previous: first.place });
    const other = await made({ previous: first.place });
    const afterOther = await made({ previous: other.place });
    await expect(restored(first.bytes, { known: second.place })).rejects.toThrow(
      code("rolled-back"),
    );
    await expect(restored(other.bytes, { known: second.place })).rejects.toThrow(code("forked"));
    await expect(restored(afterOther.bytes, { known: second.place })).rejects.toThrow(
      code("forked"),
    );
  });

  test("is not fooled by a header that claims a later place", async () => {
    const first = await made();
    const second = await made({ previous: first.place });
    const claims = joined([
      second.bytes.slice(0, second.headerBytes),
      first.bytes.slice(first.headerBytes),
    ]);
    await expect(restored(claims, { known: second.place })).rejects.toThrow(code("not-authentic"));
  });

  test("decides by sequence and hash alone", () => {
    const [a, b] = [random(32), random(32)];
    const found =
      (sequence: bigint, hash: Uint8Array, previousHash = b) =>
      () =>
        checkBackupPlace({ sequence: 5n, hash: a }, { sequence, hash, previousHash });
    expect(found(4n, a)).toThrow(code("rolled-back"));
    expect(found(5n, a)).not.toThrow();
    expect(found(5n, b)).toThrow(code("forked"));
    expect(found(6n, b, a)).not.toThrow();
    expect(found(6n, b, b)).toThrow(code("forked"));
    expect(found(7n, b, b)).not.toThrow();
  });
});
