import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { BinaryReader, BinaryWriter, type WireType } from "@bufbuild/protobuf/wire";
import type { Change, ClientStore, KeyRange, StoredRow, TableName } from "@parley/client";
import { toHex } from "@parley/protocol";
import type { Life } from "../../src/simulation/life.ts";
import type { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { envelopeIdOf, withOwn } from "../../src/world/mailbox-watch.ts";
import type { Plants } from "../../src/world/world.ts";

/** How late the liars below do what they said they had done. */
const LATE_MS = 1500;

/** The server says *accepted*, and writes later: a kill in between loses what it said it had. */
export function ackBeforeCommit(clock: VirtualClock): Plants {
  return {
    serverPorts: (ports, life) => ({
      ...ports,
      mailboxes: withOwn(ports.mailboxes, {
        append: async (send) => {
          clock.after(LATE_MS, () => {
            if (life.alive) void ports.mailboxes.append(send);
          });
          // A mark below every floor to come: the client has no reason to offer it again.
          return { kind: "appended", mark: ports.epochs.current().floor, skipped: [] };
        },
      }),
    }),
  };
}

/** The log's disk says that it has written, and writes later. */
export function ackBeforeWrite(clock: VirtualClock): Plants {
  return {
    logDisk: (disk, life) => ({
      create: (path, sizeBytes) => disk.create(path, sizeBytes),
      open: (path) => {
        const file = disk.open(path);
        return withOwn(file, {
          write: (bytes, at) => {
            const copy = bytes.slice();
            clock.after(LATE_MS, () => {
              if (life.alive) void file.write(copy, at);
            });
            return undefined;
          },
        });
      },
    }),
  };
}

/** At the start the end of the mail log is made to look whole, whatever a kill left of it. */
export function tornTailServed(): Plants {
  return {
    beforeStart: (folder) => {
      for (const name of readdirSync(folder).filter((each) => /^mail-\d\.log$/.test(each)))
        makeWhole(join(folder, name));
    },
  };
}

/** The server says of every epoch that nothing was lost in the one before it. */
export function floorIgnored(): Plants {
  return {
    serverPorts: (ports) => ({
      ...ports,
      epochs: withOwn(ports.epochs, {
        since: async (id) =>
          (await ports.epochs.since(id)).map((epoch) => ({ ...epoch, floor: 2n ** 62n })),
      }),
    }),
  };
}

/** The device's store says that it has committed, and writes later: what it acknowledged may be gone. */
export function clientAckBeforeCommit(clock: VirtualClock): Plants {
  return { clientStore: (store, life) => new LateStore(store, life, clock) };
}

/** The device forgets what it knows of others' chains, and which message ids it has shown. */
export function noDuplicateFilter(): Plants {
  return {
    clientStore: (store) =>
      withOwn(store, {
        get: async (table, key) => {
          const value = await store.get(table, key);
          if (table === "messages") return undefined;
          return table === "chains" && value && isOthersChain(key, value) ? undefined : value;
        },
      }),
  };
}

/** The device keeps in memory only what receipts told it of its own chains. */
export function receiptsForgotten(): Plants {
  return {
    clientStore: (store) => {
      const written = new Set<string>();
      const strip = (table: TableName, key: string, value: Uint8Array) =>
        table === "chains" && !written.has(key) && !isOthersChain(key, value)
          ? withoutFields(value, [DELIVERED_FIELD, READ_FIELD])
          : value;
      return withOwn(store, {
        get: async (table, key) => {
          const value = await store.get(table, key);
          return value && strip(table, key, value);
        },
        range: async (table, range) =>
          (await store.range(table, range)).map(({ key, value }) => ({
            ...{ key, value: strip(table, key, value) },
          })),
        commit: async (changes) => {
          await store.commit(changes);
          for (const { table, key } of changes) if (table === "chains") written.add(key);
        },
      });
    },
  };
}

// Of the server's mail log (packages/server/src/adapters/embedded/mail/log-block.ts).
const BLOCK_MAGIC = Buffer.from("Prlb", "ascii");
const BLOCK_END = Buffer.from("brlPbrlP", "ascii");
const BLOCK_HEAD_BYTES = 24;
const ROW = 1;
const ROW_HEAD_BYTES = 15;

/**
 * Gives the last block the end and the sum that a whole one has. Where a row can no more be read as one, even
 * the worst of servers would not start.
 */
function makeWhole(path: string): void {
  const file = readFileSync(path);
  const at = file.lastIndexOf(BLOCK_MAGIC);
  if (at === -1) return;
  const payloadEnd = at + BLOCK_HEAD_BYTES + file.readUInt32LE(at + 4);
  if (payloadEnd + BLOCK_END.length > file.length) return;
  BLOCK_END.copy(file, payloadEnd);
  const payload = file.subarray(at + BLOCK_HEAD_BYTES, payloadEnd);
  if (!isReadable(payload)) return;
  file.writeUInt32LE(crc32(payload, crc32(file.subarray(at, at + 20))), at + 20);
  writeFileSync(path, file);
}

function isReadable(payload: Buffer): boolean {
  try {
    for (let at = 0; at < payload.length && payload[at] === ROW; ) {
      const end = at + ROW_HEAD_BYTES + payload.readUInt32LE(at + 11);
      envelopeIdOf(payload.subarray(at + ROW_HEAD_BYTES, end));
      at = end;
    }
    return payload[0] === ROW;
  } catch {
    return false;
  }
}

// Of the client's ChainRecord (packages/client/proto).
const ACCOUNT_ID_FIELD = 1;
const DELIVERED_FIELD = 11;
const READ_FIELD = 12;

/** Rows of chains lie under `conversation/chain`, and a conversation is the other account. */
function isOthersChain(key: string, value: Uint8Array): boolean {
  const reader = new BinaryReader(value);
  const [field] = reader.tag();
  return field === ACCOUNT_ID_FIELD && toHex(reader.bytes()) === key.split("/")[0];
}

function withoutFields(message: Uint8Array, dropped: readonly number[]): Uint8Array {
  const reader = new BinaryReader(message);
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const raw = reader.skip(type, field);
    if (!dropped.includes(field)) writer.tag(field, type as WireType).raw(raw);
  }
  return writer.finish();
}

class LateStore implements ClientStore {
  readonly #inner: ClientStore;
  readonly #life: Life;
  readonly #clock: VirtualClock;
  readonly #late: (readonly Change[])[] = [];

  constructor(inner: ClientStore, life: Life, clock: VirtualClock) {
    this.#inner = inner;
    this.#life = life;
    this.#clock = clock;
  }

  async get(table: TableName, key: string): Promise<Uint8Array | undefined> {
    const late = this.#late
      .flat()
      .findLast((change) => change.table === table && change.key === key);
    return late === undefined ? await this.#inner.get(table, key) : late.value;
  }

  async range(table: TableName, range: KeyRange): Promise<readonly StoredRow[]> {
    const { from = "", before, limit, reverse = false } = range;
    const all = { ...(before !== undefined && { before }), from };
    const rows = new Map((await this.#inner.range(table, all)).map((row) => [row.key, row.value]));
    for (const { table: where, key, value } of this.#late.flat()) {
      if (where !== table || key < from || (before !== undefined && key >= before)) continue;
      if (value === undefined) rows.delete(key);
      else rows.set(key, value);
    }
    const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
    if (reverse) sorted.reverse();
    return sorted.slice(0, limit).map(([key, value]) => ({ key, value }));
  }

  async commit(changes: readonly Change[]): Promise<void> {
    this.#late.push(changes);
    this.#clock.after(LATE_MS, () => {
      if (this.#life.alive) void this.#inner.commit(changes).then(() => this.#late.shift());
    });
  }

  async close(): Promise<void> {
    for (const changes of this.#late.splice(0)) await this.#inner.commit(changes);
    await this.#inner.close();
  }
}
