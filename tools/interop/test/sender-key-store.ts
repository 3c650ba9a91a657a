import * as signal from "@signalapp/libsignal-client";

export class MemorySenderKeys extends signal.SenderKeyStore {
  readonly #records = new Map<string, Uint8Array<ArrayBuffer>>();

  async saveSenderKey(
    sender: signal.ProtocolAddress,
    distributionId: signal.Uuid,
    record: signal.SenderKeyRecord,
  ): Promise<void> {
    this.#records.set(keyOf(sender, distributionId), record.serialize());
  }

  async getSenderKey(
    sender: signal.ProtocolAddress,
    distributionId: signal.Uuid,
  ): Promise<signal.SenderKeyRecord | null> {
    const found = this.#records.get(keyOf(sender, distributionId));
    return found === undefined ? null : signal.SenderKeyRecord.deserialize(found);
  }
}

const keyOf = (sender: signal.ProtocolAddress, distributionId: signal.Uuid) =>
  `${sender.name()}.${sender.deviceId()} ${distributionId}`;
