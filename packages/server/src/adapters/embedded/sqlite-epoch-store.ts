import type { DatabaseSync } from "node:sqlite";
import { ID_BYTES } from "@parley/protocol";
import type { EpochStore, ServerEpoch } from "../../ports/epoch-store.ts";
import type { Mark } from "../../ports/mark.ts";
import type { Random } from "../../ports/random.ts";

const EPOCHS_MAX = 1_000;
const LIFETIME_MS = 90 * 24 * 60 * 60 * 1000;

type EpochRow = { readonly place: number; readonly id: Uint8Array; readonly floor: number };

/** What this start found. */
export interface Start {
  readonly recovered: Mark;
  readonly nowMs: number;
  readonly random: Random;
}

/**
 * One epoch for every start: a store cannot tell an old copy of its folder from its own, but its first mark
 * says what it has, so a copy that was put back is found, and a crash that lost nothing re-offers nothing.
 */
export class SqliteEpochStore implements EpochStore {
  readonly #db: DatabaseSync;
  readonly #current: ServerEpoch;

  constructor(db: DatabaseSync, { recovered, nowMs, random }: Start) {
    this.#db = db;
    this.#current = { id: random(ID_BYTES), floor: recovered };
    db.exec("BEGIN IMMEDIATE");
    db.prepare("INSERT INTO epochs (id, floor, opened_at_ms) VALUES (?, ?, ?)").run(
      ...[this.#current.id, this.#current.floor, nowMs],
    );
    // An epoch ended when the next began, which is what its age counts from.
    db.prepare(`DELETE FROM epochs WHERE place <= (SELECT max(place) FROM epochs) - ?
      OR place < (SELECT max(place) FROM epochs WHERE opened_at_ms < ?)`).run(
      ...[EPOCHS_MAX, nowMs - LIFETIME_MS],
    );
    db.exec("COMMIT");
  }

  current(): ServerEpoch {
    return this.#current;
  }

  async since(id: Uint8Array): Promise<readonly ServerEpoch[]> {
    const rows = this.#db
      .prepare(`SELECT place, id, floor FROM epochs
        WHERE place >= coalesce((SELECT place FROM epochs WHERE id = ?), 0) ORDER BY place`)
      .all(id) as EpochRow[];
    return rows.map((row) => ({ id: row.id, floor: BigInt(row.floor) }));
  }
}
