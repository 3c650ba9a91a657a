import type { Account, ListedDevice } from "../../ports/account-store.ts";

// One character a byte: a short string is one small object of the heap, and an account's arrays are five.

const UINT32_BYTES = 4;
const FLOAT64_BYTES = 8;
/** Of what is not known. */
const NO_HANDLE = 0xffff_ffff;

export function packAccount({ handle, rootKey, head, devices }: Account): string {
  const parts: Buffer[] = [];
  const bytes = (value: Uint8Array) => {
    parts.push(uint32(value.length), Buffer.from(value.buffer, value.byteOffset, value.length));
  };
  if (handle === undefined) parts.push(uint32(NO_HANDLE));
  else bytes(Buffer.from(handle, "utf8"));
  bytes(rootKey);
  bytes(head.hash);
  parts.push(uint32(head.era), uint32(head.version), uint32(devices.length));
  for (const device of devices) {
    parts.push(uint32(device.deviceId), uint32(device.registrationId), float64(device.addedAtMs));
    bytes(device.identityKey);
    bytes(device.consent);
    bytes(device.sealedName);
  }
  return Buffer.concat(parts).toString("latin1");
}

export function unpackAccount(accountId: string, packed: string): Account {
  const reader = new PackedReader(packed);
  const handle = reader.text();
  const rootKey = reader.bytes();
  const hash = reader.bytes();
  const head = { era: reader.uint32(), version: reader.uint32(), hash };
  const devices: ListedDevice[] = [];
  for (let left = reader.uint32(); left > 0; left--) devices.push(reader.device());
  return { accountId, rootKey, handle, head, devices };
}

class PackedReader {
  readonly #packed: Buffer;
  #at = 0;

  constructor(packed: string) {
    this.#packed = Buffer.from(packed, "latin1");
  }

  uint32(): number {
    this.#at += UINT32_BYTES;
    return this.#packed.readUInt32LE(this.#at - UINT32_BYTES);
  }

  float64(): number {
    this.#at += FLOAT64_BYTES;
    return this.#packed.readDoubleLE(this.#at - FLOAT64_BYTES);
  }

  bytes(): Uint8Array {
    const length = this.uint32();
    this.#at += length;
    const { buffer, byteOffset } = this.#packed;
    return new Uint8Array(buffer, byteOffset + this.#at - length, length);
  }

  text(): string | undefined {
    const length = this.uint32();
    if (length === NO_HANDLE) return undefined;
    this.#at += length;
    return this.#packed.toString("utf8", this.#at - length, this.#at);
  }

  device(): ListedDevice {
    const [deviceId, registrationId, addedAtMs] = [this.uint32(), this.uint32(), this.float64()];
    const [identityKey, consent, sealedName] = [this.bytes(), this.bytes(), this.bytes()];
    return { deviceId, identityKey, registrationId, consent, sealedName, addedAtMs };
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(UINT32_BYTES);
  bytes.writeUInt32LE(value);
  return bytes;
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(FLOAT64_BYTES);
  bytes.writeDoubleLE(value);
  return bytes;
}
