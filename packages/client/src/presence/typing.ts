import { create, toBinary } from "@bufbuild/protobuf";
import { LIVE_NONCE_BYTES, sealLive } from "@parley/crypto";
import { DeliveryClass, fromHex, LiveContent_Activity, LiveContentSchema } from "@parley/protocol";
import type { TypingState } from "../api.ts";
import { ownAddress, type Parts } from "../parts.ts";
import type { Transaction } from "../store/transaction.ts";
import { liveKeyInUse } from "./given-keys.ts";
import type { ServerTime } from "./server-time.ts";
import type { KeyWithId } from "./shared-key.ts";

/** At most one frame in this time a conversation (trust.md 5). */
const TYPING_INTERVAL_MS = 3_000;
/** So long it is shown after the last frame (trust.md 5). */
export const TYPING_SHOWN_MS = 8_000;
const ENVELOPE_ID_BYTES = 16;

export const ACTIVITY = {
  typing: LiveContent_Activity.TYPING,
  recording: LiveContent_Activity.RECORDING,
  stopped: LiveContent_Activity.STOPPED,
} satisfies Record<TypingState, LiveContent_Activity>;

interface Told {
  state: TypingState;
  /** The time of the last frame is not over: what happens is told when it is. */
  isResting: boolean;
  next: TypingState | undefined;
  cancel: () => void;
}

/** Tells contacts what this person does: over no ratchet, stored nowhere, dropped where nobody is connected. */
export class Typing {
  readonly #parts: Parts;
  readonly #serverTime: ServerTime;
  readonly #told = new Map<string, Told>();

  constructor(parts: Parts, serverTime: ServerTime) {
    this.#parts = parts;
    this.#serverTime = serverTime;
  }

  tell(conversation: string, state: TypingState): void {
    const told = this.#told.get(conversation);
    if (told?.isResting === true) told.next = state;
    else if (state !== "stopped" || told !== undefined) this.#say(conversation, state);
  }

  /** The message itself says that its writing is over. */
  sent(conversation: string): void {
    const told = this.#told.get(conversation);
    if (told?.isResting === true) Object.assign(told, { state: "stopped", next: undefined });
    else this.#forget(conversation);
  }

  close(): void {
    for (const { cancel } of this.#told.values()) cancel();
    this.#told.clear();
  }

  #say(conversation: string, state: TypingState): void {
    this.#forget(conversation);
    const cancel = this.#parts.clock.after(TYPING_INTERVAL_MS, () => this.#goOn(conversation));
    this.#told.set(conversation, { state, isResting: true, next: undefined, cancel });
    this.#send(conversation, state).catch((cause: unknown) => this.#parts.fatal(cause));
  }

  #goOn(conversation: string): void {
    const told = this.#told.get(conversation);
    if (told === undefined) return;
    const { next, state } = told;
    if (next !== undefined && (next !== "stopped" || state !== "stopped"))
      this.#say(conversation, next);
    else if (state === "stopped") this.#forget(conversation);
    else {
      // Until it is forgotten there, its end is worth a frame.
      const leftMs = TYPING_SHOWN_MS - TYPING_INTERVAL_MS;
      told.isResting = false;
      told.cancel = this.#parts.clock.after(leftMs, () => this.#forget(conversation));
    }
  }

  #forget(conversation: string): void {
    this.#told.get(conversation)?.cancel();
    this.#told.delete(conversation);
  }

  async #send(conversation: string, state: TypingState): Promise<void> {
    const { clock, device, random } = this.#parts;
    if (device.connection.state.kind !== "online") return;
    const key = await device.transactor.transact((tx) => this.#keyFor(tx, conversation));
    const timeMs = this.#serverTime.next(clock.now());
    if (key === undefined || timeMs === undefined) return;
    const content = create(LiveContentSchema, {
      timeMs: BigInt(timeMs),
      activity: ACTIVITY[state],
    });
    const own = ownAddress(this.#parts);
    const recipient = fromHex(conversation);
    const ciphertext = sealLive(
      key,
      { senderAccount: fromHex(own.accountId), senderDevice: own.deviceId, recipient },
      toBinary(LiveContentSchema, content),
      random(LIVE_NONCE_BYTES),
    );
    device.connection.sendLive({
      recipient: { case: "accountId", value: recipient },
      envelope: {
        id: random(ENVELOPE_ID_BYTES),
        deliveryClass: DeliveryClass.LIVE,
        ciphertext,
      },
    });
  }

  /** None for strangers, and none where a list of devices has changed since it was given. */
  async #keyFor(tx: Transaction, accountId: string): Promise<KeyWithId | undefined> {
    const { clock, device, random } = this.#parts;
    const theirs = await device.directory.account(tx, accountId);
    const own = await device.directory.account(tx, ownAddress(this.#parts).accountId);
    if (theirs === undefined || own === undefined) return undefined;
    const lists = { own: own.head.hash, theirs: theirs.head.hash };
    return await liveKeyInUse(tx, { random, nowMs: clock.now() }, { accountId, lists });
  }
}
