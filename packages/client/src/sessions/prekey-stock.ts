import { create } from "@bufbuild/protobuf";
import {
  type DeviceKeys,
  type HandshakeUse,
  makeLastResortPrekey,
  makeOneTimePrekey,
  makeSignedPrekey,
} from "@parley/crypto";
import {
  ENVELOPE_LIFETIME_MS,
  type PrekeysHeld,
  PrekeysHeldSchema,
  ProtocolError,
} from "@parley/protocol";
import type { Connection } from "../connection/connection.ts";
import { ConnectionLostError } from "../connection/connection-lost-error.ts";
import type { RequestOf } from "../connection/requests.ts";
import type { Clock } from "../ports/clock.ts";
import type { CryptoRunner } from "../ports/crypto-runner.ts";
import type { Random } from "../ports/random.ts";
import { StoreFailedError, type Transaction, type Transactor } from "../store/transactor.ts";
import {
  abandonPrekeys,
  isEmptyPlan,
  ONE_TIME_STOCK,
  type OneTimeStock,
  type PrekeyPlan,
  planPrekeys,
} from "./prekey-plan.ts";
import {
  deletePrekey,
  forgetUsesBefore,
  putBookkeeping,
  readBookkeeping,
  readPrekeys,
  rememberUse,
} from "./prekey-rows.ts";

export interface PrekeyStockParts {
  readonly transactor: Transactor;
  readonly crypto: CryptoRunner;
  readonly random: Random;
  readonly clock: Clock;
  readonly connection: Pick<Connection, "request">;
  readonly stock?: OneTimeStock | undefined;
  keys(): DeviceKeys;
  fatal(cause: unknown): void;
}

/** Signed and last-resort prekeys still read for this long after another took their place (trust.md 6). */
const REPLACED_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;
/** A one-time prekey that went out and was not used: its message may wait as long as an envelope does. */
const GIVEN_LIFETIME_MS = ENVELOPE_LIFETIME_MS + REPLACED_LIFETIME_MS;
/** While connected: the stock goes down, and keys grow old, without a word from the server. */
const LOOK_INTERVAL_MS = 6 * 60 * 60 * 1000;
/** An upload settles in one round; the second looks at its answer, the third is for what came between. */
const ROUNDS_MAX = 3;

/** What this device leaves with the server so that others can begin a session while it is away. */
export class PrekeyStock {
  readonly #parts: PrekeyStockParts;
  readonly #stock: OneTimeStock;
  #mending: Promise<void> | undefined;
  #cancelLook: () => void = () => {};

  constructor(parts: PrekeyStockParts) {
    this.#parts = parts;
    this.#stock = parts.stock ?? ONE_TIME_STOCK;
  }

  /** What this device believes that the server holds. */
  async believed(tx: Transaction): Promise<PrekeysHeld> {
    const { signedPrekeyId, lastResortPrekeyId, givenBelow, uploadedUpTo } =
      await readBookkeeping(tx);
    const stock = (await readPrekeys(tx, "one-time")).filter(
      ({ id }) => id >= givenBelow && id <= uploadedUpTo,
    );
    return create(PrekeysHeldSchema, {
      signedPrekeyId,
      lastResortPrekeyId,
      lowestOneTimeId: stock[0]?.id ?? 0,
      highestOneTimeId: stock.at(-1)?.id ?? 0,
      oneTimeCount: stock.length,
    });
  }

  /**
   * Network. Brings the server's stock to what it is to be, from what it says that it holds; where that is
   * not known, it is asked. In the background: what fails is tried again at the next welcome, or later.
   */
  mend(held?: PrekeysHeld): void {
    this.#mending ??= this.#mend(held)
      .catch((cause: unknown) => this.#failed(cause))
      .finally(() => {
        this.#mending = undefined;
      });
  }

  /** Not before the next `mend`. */
  rest(): void {
    this.#cancelLook();
  }

  async settled(): Promise<void> {
    await this.#mending;
  }

  /** In the transaction that keeps the session which a message began. */
  async used(tx: Transaction, { oneTimePrekeyId, lastResortUse }: HandshakeUse): Promise<void> {
    if (lastResortUse !== undefined) rememberUse(tx, lastResortUse, this.#parts.clock.now());
    if (oneTimePrekeyId === undefined) return;
    deletePrekey(tx, "one-time", oneTimePrekeyId);
    const book = await readBookkeeping(tx);
    const givenBelow = Math.max(book.givenBelow, oneTimePrekeyId + 1);
    putBookkeeping(tx, { ...book, givenBelow });
    const { oneTimeCount } = await this.believed(tx);
    if (oneTimeCount < this.#stock.least) tx.afterCommit(() => this.mend());
  }

  async abandon(tx: Transaction, held: PrekeysHeld): Promise<void> {
    const { random, clock } = this.#parts;
    await abandonPrekeys(tx, held, { random, nowMs: clock.now() });
  }

  /** After a full drain: what nobody can still use is deleted. */
  async purge(tx: Transaction): Promise<void> {
    const nowMs = this.#parts.clock.now();
    for (const kind of ["signed", "last-resort"] as const)
      for (const { id, secret } of await readPrekeys(tx, kind))
        if (secret.replacedAtMs > 0n && nowMs - Number(secret.replacedAtMs) > REPLACED_LIFETIME_MS)
          deletePrekey(tx, kind, id);
    const { givenBelow } = await readBookkeeping(tx);
    for (const { id, secret } of await readPrekeys(tx, "one-time"))
      if (id < givenBelow && nowMs - Number(secret.madeAtMs) > GIVEN_LIFETIME_MS)
        deletePrekey(tx, "one-time", id);
    // A use came after its prekey was made: older ones are of prekeys that are gone.
    const made = (await readPrekeys(tx, "last-resort")).map(({ secret }) =>
      Number(secret.madeAtMs),
    );
    await forgetUsesBefore(tx, Math.min(nowMs, ...made));
  }

  async #mend(known: PrekeysHeld | undefined): Promise<void> {
    const { transactor, random, clock } = this.#parts;
    this.#lookIn(LOOK_INTERVAL_MS);
    let held = known ?? (await this.#upload({}));
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const there = held;
      const plan = await transactor.transact((tx) =>
        planPrekeys(tx, there, { random, nowMs: clock.now(), stock: this.#stock }),
      );
      if (isEmptyPlan(plan)) return;
      held = await this.#upload(await this.#requestFor(plan));
    }
  }

  async #requestFor(plan: PrekeyPlan): Promise<RequestOf<"uploadPrekeys">> {
    const { crypto, keys } = this.#parts;
    const oneTimePrekeys = [];
    for (const { id, secret } of plan.oneTime)
      oneTimePrekeys.push((await crypto.run(makeOneTimePrekey(keys(), { id, ...secret }))).public);
    const { signed, lastResort, dropOneTimeBelow } = plan;
    return {
      oneTimePrekeys,
      dropOneTimeBelow,
      ...(signed && {
        signedPrekey: (
          await crypto.run(
            makeSignedPrekey(keys(), { id: signed.id, privateKey: signed.secret.curvePrivate }),
          )
        ).public,
      }),
      ...(lastResort && {
        lastResortPrekey: (
          await crypto.run(
            makeLastResortPrekey(keys(), {
              id: lastResort.id,
              kyberSeed: lastResort.secret.kyberSeed,
            }),
          )
        ).public,
      }),
    };
  }

  async #upload(request: RequestOf<"uploadPrekeys">): Promise<PrekeysHeld> {
    const { held } = await this.#parts.connection.request("uploadPrekeys", request);
    return held as PrekeysHeld;
  }

  #failed(cause: unknown): void {
    if (cause instanceof ProtocolError) {
      if (cause.retryAfterMs !== undefined) this.#lookIn(cause.retryAfterMs);
    } else if (!(cause instanceof ConnectionLostError || cause instanceof StoreFailedError))
      this.#parts.fatal(cause);
  }

  #lookIn(delayMs: number): void {
    this.#cancelLook();
    this.#cancelLook = this.#parts.clock.after(delayMs, () => this.mend());
  }
}
