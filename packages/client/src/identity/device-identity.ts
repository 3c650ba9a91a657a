import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type DeviceKeys, deriveDeviceKeys, type LocalDevice, signLogin } from "@parley/crypto";
import type { Challenge, LoginSchema, SignedAccountEntry, SignUpResponse } from "@parley/protocol";
import { copyOf, ErrorCode, ProtocolError, toHex } from "@parley/protocol";
import { askOnce } from "../connection/ask-once.ts";
import type { ChannelParts } from "../connection/channel.ts";
import { type SignUpOfDevice, versionWith } from "../connection/login.ts";
import { isSameHost, originOf } from "../connection/origin.ts";
import {
  DeviceIdentitySchema,
  type DeviceIdentity as IdentityRecord,
} from "../gen/parley/store/v1/device_pb.ts";
import type { CryptoRunner } from "../ports/crypto-runner.ts";
import type { Random } from "../ports/random.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction, Transactor } from "../store/transactor.ts";
import {
  AlreadySignedUpError,
  type Identity,
  type LinkedIdentity,
  type OwnAccount,
  type SharedSecrets,
  type SignUpOptions,
} from "./identity.ts";
import { isSignedUp, putIdentity, readIdentity } from "./identity-record.ts";
import { makeSignUpMaterial } from "./sign-up-material.ts";

export interface IdentityParts extends ChannelParts {
  readonly transactor: Transactor;
  readonly crypto: CryptoRunner;
  readonly random: Random;
  /** The first entry of the own chain, kept beside the identity from the first moment on. */
  storeChain(tx: Transaction, accountId: string, entries: readonly SignedAccountEntry[]): void;
  chainEntries(tx: Transaction, accountId: string): Promise<readonly SignedAccountEntry[]>;
}

/** The account and keys of one device, read once from the vault. */
export class DeviceIdentity implements Identity {
  readonly #parts: IdentityParts;
  readonly #origin: string;
  #known: Known | undefined;
  #signingUp = false;

  private constructor(parts: IdentityParts) {
    this.#parts = parts;
    this.#origin = originOf(parts.serverUrl);
  }

  static async load(parts: IdentityParts): Promise<DeviceIdentity> {
    const identity = new DeviceIdentity(parts);
    const record = await parts.transactor.transact((tx) => readIdentity(tx));
    if (record !== undefined) identity.#known = await identity.#know(record);
    return identity;
  }

  get account(): OwnAccount | undefined {
    if (this.#known === undefined || !isSignedUp(this.#known.record)) return undefined;
    return accountOf(this.#known.record);
  }

  /** From the making of the keys on, which is before sign-up. */
  get address(): DeviceAddress | undefined {
    if (this.#known === undefined) return undefined;
    const { accountId, deviceId } = this.#known.record;
    return { accountId: toHex(accountId), deviceId };
  }

  /** As crypto names this device. */
  get local(): LocalDevice {
    const { record, keys } = this.#mustKnow();
    const { accountId, deviceId, registrationId } = record;
    return { accountId, deviceId, registrationId, keys };
  }

  async signUp(options: SignUpOptions): Promise<{ account: OwnAccount; recoveryCode: string }> {
    if (this.account !== undefined || this.#signingUp) throw new AlreadySignedUpError();
    this.#signingUp = true;
    try {
      const record = await this.#material(options);
      this.#known = await this.#know(record);
      const answer = await askOnce(this.#parts, "signUp", async (challenge) => ({
        ...(await this.signUpRequest(challenge)),
        version: versionWith(challenge),
      }));
      await this.signedUp(answer);
      return { account: accountOf(this.#mustKnow().record), recoveryCode: record.recoveryCode };
    } finally {
      this.#signingUp = false;
    }
  }

  /**
   * For a server that does not know this account. Only the one that had it is offered it again: another that
   * was given by mistake learns nothing of it. Throws LOGIN_REFUSED there.
   */
  async signUpAgain(challenge: Challenge): Promise<SignUpOfDevice> {
    if (!isSameHost(this.#mustKnow().record.origin, this.#origin))
      throw new ProtocolError(ErrorCode.LOGIN_REFUSED, "this account is on another server");
    return await this.signUpRequest(challenge);
  }

  async signUpRequest(challenge: Challenge): Promise<SignUpOfDevice> {
    const { record } = this.#mustKnow();
    const { handle, invitation, signUpReceipt } = record;
    const { accountId } = this.address as DeviceAddress;
    const entries = await this.#parts.transactor.transact((tx) =>
      this.#parts.chainEntries(tx, accountId),
    );
    const login = await this.login(challenge);
    return { login, entries: [...entries], handle, invitation, receipt: signUpReceipt };
  }

  /** The receipt is for the handle that was asked for, which is kept with it. */
  async signedUp({ receipt }: SignUpResponse): Promise<void> {
    await this.#change((record) => ({ ...record, signUpReceipt: copyOf(receipt) }));
  }

  /** Bound to the origin and to this connection's challenge (trust.md 2). */
  async login({ nonce }: Challenge): Promise<MessageInitShape<typeof LoginSchema>> {
    const { accountId, deviceId, keys } = this.local;
    const origin = this.#origin;
    const signature = await this.#parts.crypto.run(
      signLogin(keys, { origin, challenge: nonce, accountId, deviceId }),
    );
    return { origin, accountId, deviceId, signature };
  }

  async pendingRecoveryCode(): Promise<string | undefined> {
    const code = this.#known?.record.recoveryCode ?? "";
    return code === "" ? undefined : code;
  }

  async confirmRecoveryCode(): Promise<void> {
    if (this.#known !== undefined)
      await this.#change((record) => ({ ...record, recoveryCode: "" }));
  }

  async adopt(linked: LinkedIdentity, entries: readonly SignedAccountEntry[]): Promise<void> {
    if (this.#known !== undefined) throw new AlreadySignedUpError();
    const { transactor, clock } = this.#parts;
    const record = create(DeviceIdentitySchema, {
      ...{ ...linked, origin: this.#origin, createdAtMs: BigInt(clock.now()) },
      awaitsHandOver: linked.backupKey === undefined,
    });
    await transactor.transact(async (tx) => {
      putIdentity(tx, record);
      this.#parts.storeChain(tx, toHex(record.accountId), entries);
    });
    this.#known = await this.#know(record);
  }

  sharedSecrets(): SharedSecrets {
    const { backupKey, backupId, signUpReceipt } = this.#mustKnow().record;
    return { backupKey, backupId, signUpReceipt };
  }

  takeSecrets(tx: Transaction, { backupKey, backupId }: SharedSecrets): void {
    const known = this.#mustKnow();
    const record = { ...known.record, backupKey, backupId, awaitsHandOver: false };
    putIdentity(tx, record);
    tx.afterCommit(() => {
      this.#known = { ...known, record };
    });
  }

  get keys(): DeviceKeys {
    return this.#mustKnow().keys;
  }

  get createdAtMs(): number {
    return Number(this.#mustKnow().record.createdAtMs);
  }

  /** What was made before, if a sign-up was cut off; else it is made, and stored before it is used. */
  async #material(options: SignUpOptions): Promise<IdentityRecord> {
    const { transactor, crypto, random, clock } = this.#parts;
    if (this.#known !== undefined) {
      const { handle, invitation = "" } = options;
      const origin = this.#origin;
      return await this.#change((record) => ({ ...record, handle, invitation, origin }));
    }
    const made = await crypto.run(makeSignUpMaterial(random, options, clock.now()));
    const identity = { ...made.identity, origin: this.#origin };
    await transactor.transact(async (tx) => {
      putIdentity(tx, identity);
      this.#parts.storeChain(tx, toHex(identity.accountId), [made.genesis]);
    });
    return identity;
  }

  async #change(change: (record: IdentityRecord) => IdentityRecord): Promise<IdentityRecord> {
    const known = this.#mustKnow();
    const record = change(known.record);
    await this.#parts.transactor.transact(async (tx) => putIdentity(tx, record));
    this.#known = { ...known, record };
    return record;
  }

  async #know(record: IdentityRecord): Promise<Known> {
    return { record, keys: await this.#parts.crypto.run(deriveDeviceKeys(record.seed)) };
  }

  #mustKnow(): Known {
    if (this.#known === undefined) throw new Error("this device has not signed up");
    return this.#known;
  }
}

interface Known {
  readonly record: IdentityRecord;
  readonly keys: DeviceKeys;
}

function accountOf(record: IdentityRecord): OwnAccount {
  const { accountId, handle, deviceId, rootKey, awaitsHandOver } = record;
  return { accountId: toHex(accountId), handle, deviceId, rootKey, awaitsHandOver };
}
