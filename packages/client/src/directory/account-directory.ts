import {
  type AccountState,
  comparePlaces,
  type Operation,
  type SignedStep,
  verifyAccountChain,
} from "@parley/crypto";
import {
  type AccountHead,
  type DeviceListMismatch,
  ErrorCode,
  equalBytes,
  fromHex,
  ProtocolError,
  type SignedAccountEntry,
  toHex,
} from "@parley/protocol";
import type { Connection } from "../connection/connection.ts";
import type { AccountPin } from "../gen/parley/store/v1/device_pb.ts";
import type { TableName } from "../ports/client-store.ts";
import type { CryptoRunner } from "../ports/crypto-runner.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction, Transactor } from "../store/transactor.ts";
import type {
  ChainOutcome,
  Directory,
  HandedPin,
  HandleLookUp,
  HeadStanding,
  KnownAccount,
  ListedDevice,
} from "./directory.ts";
import { allLeft, dropLeft, findLeft, putLeft } from "./left-devices.ts";
import { accountPinnedTo, pinHandle, pinHead, pinOf, takePin } from "./pins.ts";
import {
  encodeChain,
  entriesBehind,
  type HeldChain,
  heldChain,
  joined,
  readChain,
  standingIn,
} from "./stored-chain.ts";

/** Another own device changes the list at the same moment: it does so seldom. */
const CHANGE_ATTEMPTS = 4;

export interface DirectoryParts {
  readonly transactor: Transactor;
  readonly crypto: CryptoRunner;
  readonly connection: Pick<Connection, "request">;
  /** Undefined before sign-up. */
  ownAddress(): DeviceAddress | undefined;
  /** A newer list has fewer devices. After the commit. */
  devicesLeft(): void;
}

/** The directory of one device: what the server says of accounts, held against what is known. */
export class AccountDirectory implements Directory {
  readonly #parts: DirectoryParts;
  /** Chains as they were read last, by account, with the row that they were read from. */
  readonly #read = new Map<string, { readonly row: Uint8Array; readonly chain: HeldChain }>();
  readonly #refreshing = new Map<string, Promise<ChainOutcome>>();

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
  }

  async lookUpHandle(handle: string): Promise<HandleLookUp> {
    const { connection, transactor } = this.#parts;
    const answer = await orNotFound(connection.request("lookUpHandle", { handle }));
    if (answer === undefined) return { kind: "unknown" };
    const accountId = toHex(answer.accountId);
    return await transactor.transact(async (tx): Promise<HandleLookUp> => {
      const pinned = await accountPinnedTo(tx, handle);
      if (pinned !== undefined && pinned !== accountId)
        return { kind: "moved", pinned, now: accountId };
      if (pinned === undefined) await pinHandle(tx, accountId, handle);
      return { kind: "found", accountId };
    });
  }

  async pinnedAccount(tx: Transaction, handle: string): Promise<string | undefined> {
    return await accountPinnedTo(tx, handle);
  }

  async handleOf(tx: Transaction, accountId: string): Promise<string | undefined> {
    const { handle } = await pinOf(tx, accountId);
    return handle === "" ? undefined : handle;
  }

  async account(tx: Transaction, accountId: string): Promise<KnownAccount | undefined> {
    return (await this.#chain(tx, accountId))?.account;
  }

  async device(tx: Transaction, address: DeviceAddress): Promise<ListedDevice | undefined> {
    const account = await this.account(tx, address.accountId);
    const listed = account?.devices.find((device) => device.address.deviceId === address.deviceId);
    return listed ?? (await findLeft(tx, address));
  }

  async devicesLeft(tx: Transaction): Promise<readonly DeviceAddress[]> {
    return await allLeft(tx);
  }

  forgetLeft(tx: Transaction, address: DeviceAddress): void {
    dropLeft(tx, address);
  }

  async addresses(tx: Transaction, accountId: string): Promise<readonly DeviceAddress[]> {
    const own = this.#parts.ownAddress();
    const account = await this.account(tx, accountId);
    return (account?.devices ?? [])
      .map(({ address }) => address)
      .filter(({ deviceId }) => own?.accountId !== accountId || own.deviceId !== deviceId);
  }

  async standingOf(tx: Transaction, accountId: string, quoted: AccountHead): Promise<HeadStanding> {
    return standingIn(await this.#chain(tx, accountId), quoted);
  }

  refresh(accountId: string): Promise<ChainOutcome> {
    const underWay = this.#refreshing.get(accountId);
    if (underWay !== undefined) return underWay;
    const refreshing = this.#refresh(accountId).finally(() => this.#refreshing.delete(accountId));
    this.#refreshing.set(accountId, refreshing);
    return refreshing;
  }

  async settleMismatch(
    { recipientHead, senderHead }: DeviceListMismatch,
    recipient: string,
  ): Promise<{ readonly recipient: ChainOutcome; readonly own: ChainOutcome }> {
    const own = this.#parts.ownAddress()?.accountId as string;
    return {
      recipient: await this.settle(recipient, recipientHead),
      own: await this.settle(own, senderHead),
    };
  }

  /** Network. Brings the server's list of an account and the one held here together, whichever is newer. */
  async settle(accountId: string, serverHead: AccountHead | undefined): Promise<ChainOutcome> {
    const held = await this.#parts.transactor.transact((tx) => this.#chain(tx, accountId));
    const standing = serverHead && standingIn(held, serverHead);
    if (held === undefined || serverHead === undefined || standing === "newer")
      return await this.refresh(accountId);
    if (standing === "contradicts") return { kind: "false-list" };
    await this.#handOver(entriesBehind(held, serverHead));
    return { kind: "unchanged", account: held.account };
  }

  async changeOwn(sign: (state: AccountState) => Operation<SignedStep>): Promise<KnownAccount> {
    const { connection, crypto, ownAddress, transactor } = this.#parts;
    const { accountId } = ownAddress() as DeviceAddress;
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt++) {
      const held = await transactor.transact((tx) => this.#chain(tx, accountId));
      const { entry } = await crypto.run(sign((held as HeldChain).state));
      const { outcome } = await connection.request("appendAccountEntry", { entry });
      // Either way the server has entries that are not held here: its own verdict is not taken for them.
      const refreshed = await this.refresh(accountId);
      if (refreshed.kind === "false-list" || refreshed.kind === "unknown") break;
      if (outcome.case === "accepted") return refreshed.account;
    }
    throw new ProtocolError(ErrorCode.BUSY, "the own list of devices keeps changing");
  }

  async pin(tx: Transaction, accountId: string, pinned: HandedPin): Promise<void> {
    await takePin(tx, accountId, pinned);
  }

  async pinned(tx: Transaction, accountId: string): Promise<HandedPin> {
    return await pinOf(tx, accountId);
  }

  /** The first chain of the own account, made here and not fetched. */
  storeOwn(tx: Transaction, accountId: string, entries: readonly SignedAccountEntry[]): void {
    tx.put("vault-chains", accountId, encodeChain(entries));
  }

  async ownEntries(tx: Transaction, accountId: string): Promise<readonly SignedAccountEntry[]> {
    return (await this.#chain(tx, accountId))?.entries ?? [];
  }

  async #chain(tx: Transaction, accountId: string): Promise<HeldChain | undefined> {
    const row = await tx.get(this.#tableOf(accountId), accountId);
    if (row === undefined) return undefined;
    const read = this.#read.get(accountId);
    if (read !== undefined && equalBytes(read.row, row)) return read.chain;
    const chain = await readChain(this.#parts.crypto, accountId, row);
    this.#read.set(accountId, { row, chain });
    return chain;
  }

  #tableOf(accountId: string): TableName {
    return accountId === this.#parts.ownAddress()?.accountId ? "vault-chains" : "account-chains";
  }

  async #refresh(accountId: string): Promise<ChainOutcome> {
    const { connection, crypto, transactor } = this.#parts;
    const [held, pin] = await transactor.transact(async (tx) => [
      await this.#chain(tx, accountId),
      await pinOf(tx, accountId),
    ]);
    const from = held && { fromEra: held.state.era, fromVersion: held.state.version };
    const request = { accountId: fromHex(accountId), ...from };
    const answer = await orNotFound(connection.request("fetchAccountChain", request));
    if (answer === undefined && held === undefined) return { kind: "unknown" };
    const fresh = answer?.entries ?? [];
    const verdict = await crypto.run(
      verifyAccountChain({ accountId: request.accountId, entries: fresh, known: held?.state }),
    );
    if (verdict.kind === "older" && held !== undefined)
      return { kind: "unchanged", account: held.account };
    if (verdict.kind !== "valid") return { kind: "false-list" };
    if (held !== undefined && comparePlaces(verdict.state, held.state) === 0)
      return { kind: "unchanged", account: held.account };
    const chain = heldChain(held === undefined ? fresh : joined(held, fresh), verdict);
    if (held === undefined && !reaches(chain, pin)) return { kind: "false-list" };
    return { kind: "newer", account: await this.#store(accountId, chain, held?.account) };
  }

  async #store(
    accountId: string,
    { entries, state, account }: HeldChain,
    before: KnownAccount | undefined,
  ): Promise<KnownAccount> {
    const left = (before?.devices ?? []).filter((device) => !isListed(account, device));
    return await this.#parts.transactor.transact(async (tx) => {
      for (const device of left) putLeft(tx, device);
      if (left.length > 0) tx.afterCommit(() => this.#parts.devicesLeft());
      tx.put(this.#tableOf(accountId), accountId, encodeChain(entries));
      await pinHead(tx, accountId, state);
      // Read back as it will be read from now on: with the places of all that is held.
      return ((await this.#chain(tx, accountId)) as HeldChain).account;
    });
  }

  /** A server that was restored lacks them. What it does not want stays with us. */
  async #handOver(entries: readonly SignedAccountEntry[]): Promise<void> {
    for (const entry of entries) {
      try {
        await this.#parts.connection.request("appendAccountEntry", { entry });
      } catch (cause) {
        if (cause instanceof ProtocolError && cause.retryAfterMs === undefined) return;
        throw cause;
      }
    }
  }
}

const isListed = ({ devices }: KnownAccount, { address, identityKey }: ListedDevice): boolean =>
  devices.some(
    (device) =>
      device.address.deviceId === address.deviceId && equalBytes(device.identityKey, identityKey),
  );

/** The chain itself was lost here, its head was not: what the server gives now must hold it. */
function reaches({ state, places }: HeldChain, pin: AccountPin): boolean {
  if (pin.era === 0 || state.era > pin.era) return true;
  return places.some(
    (place) =>
      comparePlaces(place, pin) === 0 &&
      equalBytes(place.hash.subarray(0, pin.headHash.length), pin.headHash),
  );
}

async function orNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof ProtocolError && cause.code === ErrorCode.NOT_FOUND) return undefined;
    throw cause;
  }
}
