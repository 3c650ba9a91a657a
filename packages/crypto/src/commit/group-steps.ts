import { toHex } from "@parley/protocol";
import {
  decryptFromGroup,
  type GroupClaim,
  type GroupContext,
  type GroupUndecryptableCause,
} from "../group/decrypt-from-group.ts";
import { encryptToGroup } from "../group/encrypt-to-group.ts";
import { prepareToSend, type SendPreparation } from "../group/own-sender-key.ts";
import { distributionIdOf } from "../group/sender-key-message.ts";
import type { Operation } from "../operation.ts";
import { padContent } from "../padding.ts";
import type { RemoteDevice } from "../ratchet/session-api.ts";
import type { SenderKeyStore, StoreTransaction } from "../stores.ts";
import { Staged, StepCounts } from "./staged.ts";
import { unpadded } from "./unpadded.ts";

export interface GroupStepsParts<Tx extends StoreTransaction> {
  readonly store: SenderKeyStore<Tx>;
  /** `runSync` or `runAsync` with a provider. */
  run<T>(operation: Operation<T>): T | Promise<T>;
}

export interface GroupSending {
  readonly groupId: Uint8Array;
  /** All that are to receive: the other devices of all members, our own account's included. */
  readonly devices: readonly RemoteDevice[];
  readonly nowMs: number;
}

export type StagedGroupEncryption<Tx extends StoreTransaction> =
  | { readonly kind: "encrypted"; readonly ciphertext: Staged<Tx, Uint8Array> }
  /** There is none yet: make one. */
  | { readonly kind: "no-sender-key" }
  | Exclude<SendPreparation, { readonly kind: "ready" }>;

export type StagedGroupDecryption<Tx extends StoreTransaction> =
  /** Without its padding. */
  | { readonly kind: "content"; readonly content: Staged<Tx, Uint8Array> }
  | { readonly kind: "repeat" }
  /** Nothing changes. */
  | { readonly kind: "false-claim" }
  | { readonly kind: "undecryptable"; readonly cause: GroupUndecryptableCause };

/** What a group message says of its sender, read out of its content without the padding. */
export type ClaimOf = (content: Uint8Array) => GroupClaim | undefined;

/** Encrypts and decrypts with the sender keys of a store, by the commit rule (stores.ts). */
export class GroupSteps<Tx extends StoreTransaction> {
  readonly #parts: GroupStepsParts<Tx>;
  readonly #counts = new StepCounts<Tx>();

  constructor(parts: GroupStepsParts<Tx>) {
    this.#parts = parts;
  }

  /** Pads and encrypts, once for all devices; or says what is to be done first. */
  async encrypt(
    tx: Tx,
    { groupId, devices, nowMs }: GroupSending,
    content: Uint8Array,
  ): Promise<StagedGroupEncryption<Tx>> {
    const { store, run } = this.#parts;
    const reading = this.#counts.reading(tx, `own/${toHex(groupId)}`);
    const own = await store.own(tx, groupId);
    if (own === undefined) return { kind: "no-sender-key" };
    const prepared = prepareToSend(own, devices, nowMs);
    if (prepared.kind !== "ready") return prepared;
    const encrypted = await run(encryptToGroup(prepared.key, padContent(content), nowMs));
    if (encrypted.kind !== "encrypted") return encrypted;
    const { own: next, ciphertext: value } = encrypted;
    const write = (into: Tx) => store.writeOwn(into, next);
    return { kind: "encrypted", ciphertext: new Staged({ tx, reading, write, value }) };
  }

  /** Never throws for what the message is. */
  async decrypt(
    tx: Tx,
    context: GroupContext,
    ciphertext: Uint8Array,
    claimOf: ClaimOf,
  ): Promise<StagedGroupDecryption<Tx>> {
    const { store, run } = this.#parts;
    const distributionId = distributionIdOf(ciphertext);
    if (distributionId === undefined) return { kind: "undecryptable", cause: "malformed" };
    const { groupId } = context;
    const name = `held/${toHex(groupId)}/${toHex(distributionId)}`;
    const reading = this.#counts.reading(tx, name);
    const held = await store.held(tx, groupId, distributionId);
    const decrypted = await run(decryptFromGroup(held, context, ciphertext));
    if (decrypted.kind !== "opened") return decrypted;
    const read: { content?: Uint8Array } = {};
    const outcome = decrypted.message.checkedBy((plaintext) => {
      const content = unpadded(plaintext);
      if (content === undefined) return undefined;
      read.content = content;
      return claimOf(content);
    });
    const value = read.content;
    if (value === undefined) return { kind: "undecryptable", cause: "malformed" };
    if (outcome.kind !== "plaintext") return outcome;
    const write = (into: Tx) => store.writeHeld(into, outcome.record);
    return { kind: "content", content: new Staged({ tx, reading, write, value }) };
  }
}
