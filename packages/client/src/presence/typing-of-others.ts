import { fromBinary } from "@bufbuild/protobuf";
import { liveKeyIdOf, openLive } from "@parley/crypto";
import {
  DeliveryClass,
  type Envelope,
  fromHex,
  type LiveContent,
  LiveContentSchema,
  toHex,
} from "@parley/protocol";
import type { TypingState } from "../api.ts";
import { isAcceptedContact } from "../contacts.ts";
import { ownAddress, type Parts } from "../parts.ts";
import { addressKey, type DeviceAddress } from "../sessions/device-address.ts";
import type { Transaction } from "../store/transaction.ts";
import { heldLiveKey } from "./held-keys.ts";
import { ACTIVITY, TYPING_SHOWN_MS } from "./typing.ts";

/** The server's stamp and the sender's estimate of its clock are no further apart. */
const STAMP_OFF_MS_MAX = 60_000;
/** A sender's estimate lags by as long as his welcome took to come and be read. */
const LAG_MS_MAX = 10_000;

interface Heard {
  readonly from: DeviceAddress;
  readonly handle: string | undefined;
  readonly content: LiveContent;
}

/** What contacts are doing: shown while they say so, and forgotten when they fall silent. */
export class TypingOfOthers {
  readonly #parts: Parts;
  /** By device, the time of its last frame: the next one's is later. */
  readonly #lastMs = new Map<string, number>();
  /** By account: ends what is shown. */
  readonly #shown = new Map<string, { readonly handle: string | undefined; cancel: () => void }>();
  #since = Number.POSITIVE_INFINITY;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What was sent long before is not live any more, though a server show it anew. */
  welcomed(serverTimeMs: bigint): void {
    this.#since = Number(serverTimeMs) - LAG_MS_MAX;
  }

  disconnected(): void {
    for (const accountId of [...this.#shown.keys()]) this.stopped(accountId);
  }

  /** Never rejects for what a frame is. */
  async take(envelope: Envelope): Promise<void> {
    if (envelope.deliveryClass !== DeliveryClass.LIVE) return;
    const heard = await this.#parts.device.transactor.transact((tx) => this.#open(tx, envelope));
    if (heard === undefined || !this.#isLive(heard, envelope)) return;
    this.#lastMs.set(addressKey(heard.from), Number(heard.content.timeMs));
    const state = stateOf(heard.content);
    if (state === "stopped") this.stopped(heard.from.accountId);
    else if (state !== undefined) this.#show(heard, state);
  }

  /** Its message is here, or nothing was heard for long enough. */
  stopped(accountId: string): void {
    const shown = this.#shown.get(accountId);
    if (shown === undefined) return;
    shown.cancel();
    this.#shown.delete(accountId);
    this.#tell(accountId, shown.handle, "stopped");
  }

  #show({ from: { accountId }, handle }: Heard, state: TypingState): void {
    this.#shown.get(accountId)?.cancel();
    const cancel = this.#parts.clock.after(TYPING_SHOWN_MS, () => this.stopped(accountId));
    this.#shown.set(accountId, { handle, cancel });
    this.#tell(accountId, handle, state);
  }

  #tell(accountId: string, handle: string | undefined, state: TypingState): void {
    const event = { type: "typing", conversation: accountId, from: accountId } as const;
    this.#parts.emit({ ...event, handle, state });
  }

  /** Strangers, removed devices and keys that are not known here say nothing. */
  async #open(tx: Transaction, envelope: Envelope): Promise<Heard | undefined> {
    const { ciphertext, sourceAccount, sourceDevice } = envelope;
    const { directory } = this.#parts.device;
    const id = liveKeyIdOf(ciphertext);
    const own = fromHex(ownAddress(this.#parts).accountId);
    const from = { accountId: toHex(sourceAccount), deviceId: sourceDevice };
    if (id === undefined || !(await isAcceptedContact(tx, from.accountId))) return undefined;
    if ((await directory.device(tx, from)) === undefined) return undefined;
    const key = await heldLiveKey(tx, from, id);
    const route = { senderAccount: sourceAccount, senderDevice: sourceDevice, recipient: own };
    const content = key && contentOf(openLive(key, route, ciphertext));
    if (content === undefined) return undefined;
    return { from, content, handle: await directory.handleOf(tx, from.accountId) };
  }

  #isLive({ from, content }: Heard, { acceptedAtMs }: Envelope): boolean {
    const timeMs = Number(content.timeMs);
    const last = this.#lastMs.get(addressKey(from)) ?? this.#since;
    return timeMs > last && Math.abs(timeMs - Number(acceptedAtMs)) <= STAMP_OFF_MS_MAX;
  }
}

function contentOf(opened: Uint8Array | undefined): LiveContent | undefined {
  try {
    return opened && fromBinary(LiveContentSchema, opened);
  } catch {
    return undefined;
  }
}

function stateOf({ activity }: LiveContent): TypingState | undefined {
  const states = Object.keys(ACTIVITY) as TypingState[];
  return states.find((state) => ACTIVITY[state] === activity);
}
