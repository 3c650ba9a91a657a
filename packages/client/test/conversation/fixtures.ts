import { create } from "@bufbuild/protobuf";
import { EntrySchema, fromHex } from "@parley/protocol";
import {
  entryHash,
  type HeadInit,
  makeBody,
  makeHead,
  openEntry,
} from "../../src/conversation/entry.ts";
import { placedRange, pointOfPlacedKey } from "../../src/conversation/keys.ts";
import { Ledger } from "../../src/conversation/ledger.ts";
import { placeExpired } from "../../src/conversation/placing.ts";
import { type Taken, takeEntry } from "../../src/conversation/take-entry.ts";
import { MemoryClientStore } from "../../src/platform/memory/memory-client-store.ts";
import type { DeviceAddress } from "../../src/sessions/device-address.ts";
import { Transactor } from "../../src/store/transactor.ts";

export const alice: DeviceAddress = { accountId: "aa".repeat(16), deviceId: 1 };
export const bob: DeviceAddress = { accountId: "bb".repeat(16), deviceId: 1 };
export const carol: DeviceAddress = { accountId: "cc".repeat(16), deviceId: 7 };

export const chainOf = (device: DeviceAddress) => device.accountId.slice(0, 16);
export const bytesOf = (number: number, length = 16) =>
  fromHex(number.toString(16).padStart(2 * length, "0"));

/** An entry as its author made it. */
export interface Written {
  readonly author: DeviceAddress;
  readonly chain: string;
  readonly counter: number;
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly hash: Uint8Array;
  readonly name: string;
  readonly seen: Written | undefined;
}

let drawn = 0;

/** The next entry of the author's chain, which is given as what it holds so far. */
export function write(
  author: DeviceAddress,
  chain: readonly Written[],
  {
    seen,
    ...head
  }: { seen?: Written; lamport?: number; messageId?: Uint8Array; text?: string } = {},
): Written {
  const { messageId = bytesOf(++drawn), text = "x", lamport = 1 } = head;
  const body = makeBody({ messageId, kind: { case: "text", value: { text } } });
  const previous = chain.at(-1);
  const counter = chain.length + 1;
  const fields: HeadInit = {
    chain: fromHex(chainOf(author)),
    counter,
    previousHash: previous?.hash ?? new Uint8Array(),
    lamport,
    ...(seen && {
      seen: {
        chain: fromHex(seen.chain),
        counter: seen.counter,
        lamport: 1,
        hash: seen.hash.slice(0, 8),
      },
    }),
  };
  const bytes = makeHead(fields, body);
  const name = `${author.accountId.slice(0, 2)}${counter}`;
  return {
    author,
    chain: chainOf(author),
    counter,
    head: bytes,
    body,
    hash: entryHash(bytes),
    name,
    seen,
  };
}

export const CONVERSATION = bob.accountId;

/** A device that receives entries of one conversation. */
export class Reader {
  readonly transactor: Transactor;
  nowMs = 1_000_000;

  constructor(store = new MemoryClientStore()) {
    this.transactor = new Transactor(store, (cause) => {
      throw cause;
    });
  }

  work<T>(run: (ledger: Ledger) => Promise<T>): Promise<T> {
    return this.transactor.transact(async (tx) => {
      const ledger = new Ledger(tx);
      const result = await run(ledger);
      ledger.flush();
      return result;
    });
  }

  receive(written: Written, options: { start?: number; blocked?: boolean } = {}): Promise<Taken> {
    const { head, body, author } = written;
    return this.work((ledger) =>
      takeEntry(ledger, {
        conversation: CONVERSATION,
        author,
        opened: openEntry(create(EntrySchema, { head, body })),
        start: options.start ?? 1,
        heads: { sender: undefined, recipient: undefined },
        mine: false,
        blocked: options.blocked ?? false,
        nowMs: this.nowMs,
      }),
    );
  }

  expire(): Promise<void> {
    return this.work((ledger) => placeExpired(ledger, this.nowMs));
  }

  /** Names in the order of the screen, each with its place. */
  screen(): Promise<string[]> {
    return this.work(async ({ tx }) =>
      (await tx.range("timeline", placedRange(CONVERSATION)))
        .map(({ key }) => pointOfPlacedKey(key))
        .map(({ accountId, counter, place }) => `${accountId.slice(0, 2)}${counter}@${place}`),
    );
  }
}
