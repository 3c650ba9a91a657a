import assert from "node:assert/strict";
import * as signal from "@signalapp/libsignal-client";
import type { PrekeyBundle } from "../../../packages/protocol/src/index.ts";
import {
  MESSAGE,
  OurDevice,
  type OurDeviceSettings,
  PREKEY_MESSAGE,
  signalBundleOf,
} from "./our-device.ts";
import { Peer } from "./peer.ts";

/** What passes, for whom wants to keep it. */
export interface Witness {
  weBegin(bundle: PrekeyBundle): void;
  weOffer(oneTimeId: number | undefined): void;
  weSay(text: string, ciphertext: Uint8Array): void;
  weHear(ciphertext: Uint8Array, text: string): void;
}

/** Ours and theirs, with both directions as plain calls. */
export class Pair {
  readonly peer = new Peer("00112233-4455-6677-8899-aabbccddeeff", 1, 77);
  readonly ours: OurDevice;
  readonly #witness: Witness | undefined;

  constructor(settings: OurDeviceSettings = {}, witness?: Witness) {
    this.ours = new OurDevice(this.peer, settings);
    this.#witness = witness;
  }

  say(text: string): Uint8Array {
    const ciphertext = this.ours.encrypt(Buffer.from(text));
    this.#witness?.weSay(text, ciphertext);
    return ciphertext;
  }

  async peerSays(text: string): Promise<Uint8Array> {
    const message = await this.peer.encrypt(Buffer.from(text), this.ours.address);
    const isPrekeyMessage = message.type() === signal.CiphertextMessageType.PreKey;
    return Buffer.concat([
      Uint8Array.of(isPrekeyMessage ? PREKEY_MESSAGE : MESSAGE),
      message.serialize(),
    ]);
  }

  hear(ciphertext: Uint8Array): string {
    const text = this.ours.read(ciphertext);
    this.#witness?.weHear(ciphertext, text);
    return text;
  }

  async peerHears(ciphertext: Uint8Array): Promise<string> {
    const isPrekeyMessage = ciphertext[0] === PREKEY_MESSAGE;
    const from = this.ours.address;
    const text = await this.peer.decrypt(isPrekeyMessage, ciphertext.subarray(1), from);
    return Buffer.from(text).toString();
  }

  /** Some turns, with more than one message each way, so that chains and ratchets move. */
  async talk(turns = 8): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      for (const n of [1, 2, 3])
        assert.equal(await this.peerHears(this.say(`${turn}.${n}`)), `${turn}.${n}`);
      for (const n of [1, 2])
        assert.equal(this.hear(await this.peerSays(`${turn}/${n}`)), `${turn}/${n}`);
    }
  }

  async weBegin(oneTimeId?: number): Promise<void> {
    const bundle = await this.ours.bundleOfPeer(oneTimeId);
    this.#witness?.weBegin(bundle);
    this.ours.begin(bundle);
  }

  async theyBegin(oneTimeId?: number): Promise<void> {
    this.#witness?.weOffer(oneTimeId);
    const bundle = signalBundleOf(this.ours.offer(oneTimeId), this.ours.keys.identity);
    await this.peer.begin(bundle, this.ours.address);
  }

  /** A session that both have answered in. */
  static async settled(settings: OurDeviceSettings = {}, witness?: Witness): Promise<Pair> {
    const pair = new Pair(settings, witness);
    await pair.weBegin(21);
    await pair.talk(1);
    return pair;
  }
}
