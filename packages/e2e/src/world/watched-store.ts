import type { Change, ClientStore, KeyRange, StoredRow, TableName } from "@parley/client";
import type { History } from "../checker/history.ts";
import type { Life } from "../simulation/life.ts";

/** What happens to a commit: all goes well, the device is killed before or after it, or it rejects. */
export type CommitFate = "fine" | "killed-before" | "killed-after" | "fails-before" | "fails-after";

export interface StoreWatch {
  readonly who: string;
  readonly history: History;
  /** Asked at each commit. */
  fate(): CommitFate;
  delay(): Promise<void>;
  kill(fate: CommitFate): void;
}

/** A device's store as its world has it: every commit stands in the history, and may be the last act. */
export class WatchedStore implements ClientStore {
  readonly #inner: ClientStore;
  readonly #life: Life;
  readonly #watch: StoreWatch;

  constructor(inner: ClientStore, life: Life, watch: StoreWatch) {
    this.#inner = inner;
    this.#life = life;
    this.#watch = watch;
  }

  async get(table: TableName, key: string): Promise<Uint8Array | undefined> {
    if (!this.#life.alive) return await this.#life.never();
    return await this.#inner.get(table, key);
  }

  async range(table: TableName, range: KeyRange): Promise<readonly StoredRow[]> {
    if (!this.#life.alive) return await this.#life.never();
    return await this.#inner.range(table, range);
  }

  async commit(changes: readonly Change[]): Promise<void> {
    if (!this.#life.alive) return await this.#life.never();
    const { who, history } = this.#watch;
    const op = history.events.length;
    history.add(who, { f: "commit", type: "invoke", op });
    const fate = this.#watch.fate();
    if (fate === "killed-before") {
      this.#watch.kill(fate);
      return await this.#life.never();
    }
    await this.#watch.delay();
    if (!this.#life.alive) return await this.#life.never();
    if (fate === "fails-before") {
      this.#watch.kill(fate);
      throw new Error("the disk failed before the commit");
    }
    await this.#inner.commit(changes);
    history.add(who, { f: "commit", type: "ok", op });
    if (fate === "fine") return;
    this.#watch.kill(fate);
    if (fate === "fails-after") throw new Error("the disk failed after the commit");
    await this.#life.never();
  }

  async close(): Promise<void> {
    if (this.#life.alive) await this.#inner.close();
  }
}
