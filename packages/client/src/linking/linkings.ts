import type { Linking, OfferedDevice, RecoverOptions } from "../api.ts";
import { askOnce } from "../connection/ask-once.ts";
import type { ChannelParts } from "../connection/channel.ts";
import type { RequestOf } from "../connection/requests.ts";
import type { Devices } from "../devices.ts";
import type { Flow } from "../flow.ts";
import { orMessengerError } from "../messenger-error.ts";
import { ownAddress, type Parts } from "../parts.ts";
import type { CryptoRunner } from "../ports/crypto-runner.ts";
import { linkDevice } from "./linker.ts";
import { LINK_PATIENCE_MS } from "./meeting-place.ts";
import { offerDevice } from "./new-device.ts";
import { type Recovered, recover } from "./recover.ts";

export interface LinkingsParts extends Parts {
  readonly channel: ChannelParts;
  readonly crypto: CryptoRunner;
  readonly flow: Flow;
  readonly devices: Devices;
  /** Connects, and stays connected. */
  start(): void;
}

/** Both sides of linking, as the Messenger shows them. */
export class Linkings {
  readonly #parts: LinkingsParts;

  constructor(parts: LinkingsParts) {
    this.#parts = parts;
  }

  async offer(options: { readonly deviceName?: string }): Promise<OfferedDevice> {
    const { channel, crypto, random, clock, device, devices, flow } = this.#parts;
    const requests = {
      put: (step: RequestOf<"putLinkStep">) => askOnce(channel, "putLinkStep", async () => step),
      take: (step: RequestOf<"takeLinkStep">) => askOnce(channel, "takeLinkStep", async () => step),
    };
    const { identity } = device;
    const offering = { requests, identity, crypto, random, clock };
    const offered = await orMessengerError(offerDevice(offering, options));
    return {
      code: offered.code,
      digits: () => orMessengerError(offered.digits()),
      confirm: async (typed) => {
        const linked = await orMessengerError(offered.confirm(typed));
        this.#parts.start();
        await this.#patiently(flow.handedOver());
        await devices.look();
        return linked;
      },
    };
  }

  async recover(options: RecoverOptions): Promise<Recovered> {
    const { channel, crypto, random, device, start } = this.#parts;
    const parts = { channel, crypto, random, identity: device.identity };
    const recovered = await orMessengerError(recover(parts, options));
    start();
    return recovered;
  }

  async take(code: string): Promise<Linking<{ readonly deviceId: number }>> {
    const { devices, flow } = this.#parts;
    const linking = await orMessengerError(
      linkDevice({ ...this.#parts, outbox: flow.outbox }, code),
    );
    return {
      digits: () => linking.digits(),
      confirm: async (typed) => {
        const linked = await orMessengerError(linking.confirm(typed));
        // Until the new device has its keys at the server, nothing can be encrypted for it.
        await this.#patiently(flow.outbox.emptied(ownAddress(this.#parts).accountId));
        await devices.look();
        return linked;
      },
    };
  }

  /** Both devices are linked by now: where one of them is gone, the rest comes when it is back. */
  async #patiently(work: Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(LINK_PATIENCE_MS, resolve);
    await Promise.race([work, late]).finally(cancel);
  }
}
