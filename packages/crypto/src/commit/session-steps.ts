import { toHex } from "@parley/protocol";
import type { Operation } from "../operation.ts";
import { padContent } from "../padding.ts";
import { parsePrekeyMessage } from "../ratchet/ciphertext.ts";
import { decrypt } from "../ratchet/decrypt.ts";
import { encrypt } from "../ratchet/encrypt.ts";
import type { RemoteDevice, SessionContext, UndecryptableCause } from "../ratchet/session-api.ts";
import { canSend } from "../ratchet/session-record.ts";
import type { SessionStore, StoreTransaction } from "../stores.ts";
import { Staged, StepCounts } from "./staged.ts";
import { unpadded } from "./unpadded.ts";

export interface SessionStepsParts<Tx extends StoreTransaction> {
  readonly store: SessionStore<Tx>;
  /** `runSync` or `runAsync` with a provider. */
  run<T>(operation: Operation<T>): T | Promise<T>;
}

export type StagedDecryption<Tx extends StoreTransaction> =
  /** Without its padding. */
  | { readonly kind: "content"; readonly content: Staged<Tx, Uint8Array> }
  /** Its message key is used up: acknowledge, ask nothing. */
  | { readonly kind: "repeat" }
  /** Nothing changes. */
  | { readonly kind: "undecryptable"; readonly cause: UndecryptableCause };

/** Encrypts and decrypts with the sessions of a store, by the commit rule (stores.ts). */
export class SessionSteps<Tx extends StoreTransaction> {
  readonly #parts: SessionStepsParts<Tx>;
  readonly #counts = new StepCounts<Tx>();

  constructor(parts: SessionStepsParts<Tx>) {
    this.#parts = parts;
  }

  /** Pads (trust.md 9) and encrypts. Undefined: no session that can send; begin one. */
  async encrypt(
    tx: Tx,
    context: SessionContext,
    content: Uint8Array,
    padding: { readonly atLeast?: number } = {},
  ): Promise<Staged<Tx, Uint8Array> | undefined> {
    const { store, run } = this.#parts;
    const { remote, nowMs } = context;
    const reading = this.#counts.reading(tx, nameOf(remote));
    const found = await store.session(tx, remote);
    if (found === undefined || !canSend(found, remote.identity, nowMs)) return undefined;
    const padded = padContent(content, padding);
    const { record, ciphertext: value } = await run(encrypt(found, context, padded));
    const write = (into: Tx) => store.write(into, remote, { record, handshake: undefined });
    return new Staged({ tx, reading, write, value });
  }

  /** Never throws for what the message is. Content without its padding is `malformed`: no step is made for it. */
  async decrypt(
    tx: Tx,
    context: SessionContext,
    ciphertext: Uint8Array,
  ): Promise<StagedDecryption<Tx>> {
    const { store, run } = this.#parts;
    const { remote } = context;
    const reading = this.#counts.reading(tx, nameOf(remote));
    const needs = parsePrekeyMessage(ciphertext);
    const prekeys = needs && (await store.prekeys(tx, needs));
    const found = await store.session(tx, remote);
    const outcome = await run(decrypt(found, context, { ciphertext, prekeys }));
    if (outcome.kind !== "plaintext") return outcome;
    const { record, handshake, plaintext } = outcome;
    const value = unpadded(plaintext);
    if (value === undefined) return { kind: "undecryptable", cause: "malformed" };
    const write = (into: Tx) => store.write(into, remote, { record, handshake });
    return { kind: "content", content: new Staged({ tx, reading, write, value }) };
  }
}

function nameOf({ accountId, deviceId }: RemoteDevice): string {
  return `${toHex(accountId)}.${deviceId}`;
}
