import type { LogId } from "../../lib/log-id.ts";
import type { DeviceAddress } from "../../ports/device-address.ts";
import type { Log } from "../../ports/log.ts";
import type { PushSender } from "../../ports/push-sender.ts";

/** For servers without push: says in the log that a device would have been woken. */
export class LogPushSender implements PushSender {
  readonly #log: Log;
  readonly #logId: LogId;

  constructor(log: Log, logId: LogId) {
    this.#log = log;
    this.#logId = logId;
  }

  async push({ accountId, deviceId }: DeviceAddress): Promise<void> {
    this.#log.debug({ account: this.#logId(accountId), device: deviceId }, "push");
  }
}
