import * as signal from "@signalapp/libsignal-client";

/** Somebody who uses the official library, with its keys and sessions in memory. */
export class Peer {
  readonly address: signal.ProtocolAddress;
  readonly registrationId: number;
  readonly identity = signal.IdentityKeyPair.generate();
  readonly stores: PeerStores;

  constructor(uuid: string, deviceId: number, registrationId: number) {
    this.address = signal.ProtocolAddress.new(uuid, deviceId);
    this.registrationId = registrationId;
    this.stores = new PeerStores(this.identity.privateKey, registrationId);
  }

  /** Prekeys that the peer keeps, and what it publishes of them. */
  async publish(ids: {
    oneTime?: number;
    signed: number;
    kyber: number;
  }): Promise<PublishedPrekeys> {
    const signedKey = signal.PrivateKey.generate();
    const signedPublic = signedKey.getPublicKey();
    const signedSignature = this.identity.privateKey.sign(signedPublic.serialize());
    const kyberPair = signal.KEMKeyPair.generate();
    const kyberSignature = this.identity.privateKey.sign(kyberPair.getPublicKey().serialize());
    const { signedPrekeys, kyberPrekeys, prekeys } = this.stores;
    await signedPrekeys.saveSignedPreKey(
      ids.signed,
      signal.SignedPreKeyRecord.new(ids.signed, 0, signedPublic, signedKey, signedSignature),
    );
    await kyberPrekeys.saveKyberPreKey(
      ids.kyber,
      signal.KyberPreKeyRecord.new(ids.kyber, 0, kyberPair, kyberSignature),
    );
    let oneTimePublic: Uint8Array | undefined;
    if (ids.oneTime !== undefined) {
      const key = signal.PrivateKey.generate();
      oneTimePublic = key.getPublicKey().serialize();
      await prekeys.savePreKey(
        ids.oneTime,
        signal.PreKeyRecord.new(ids.oneTime, key.getPublicKey(), key),
      );
    }
    return {
      signedPublic: signedPublic.serialize(),
      signedSignature,
      kyberPublic: kyberPair.getPublicKey().serialize(),
      kyberSignature,
      oneTimePublic,
    };
  }

  begin(bundle: signal.PreKeyBundle, to: signal.ProtocolAddress): Promise<void> {
    const { sessions, identities } = this.stores;
    return signal.processPreKeyBundle(bundle, to, this.address, sessions, identities);
  }

  encrypt(plaintext: Uint8Array, to: signal.ProtocolAddress): Promise<signal.CiphertextMessage> {
    const { sessions, identities } = this.stores;
    return signal.signalEncrypt(owned(plaintext), to, this.address, sessions, identities);
  }

  /** Bytes as they travel, with libsignal's type 2 or 3 told by the caller. */
  decrypt(
    isPrekeyMessage: boolean,
    bytes: Uint8Array,
    from: signal.ProtocolAddress,
  ): Promise<Uint8Array> {
    const { sessions, identities, prekeys, signedPrekeys, kyberPrekeys } = this.stores;
    return isPrekeyMessage
      ? signal.signalDecryptPreKey(
          signal.PreKeySignalMessage.deserialize(owned(bytes)),
          from,
          this.address,
          sessions,
          identities,
          prekeys,
          signedPrekeys,
          kyberPrekeys,
        )
      : signal.signalDecrypt(
          signal.SignalMessage.deserialize(owned(bytes)),
          from,
          this.address,
          sessions,
          identities,
        );
  }
}

export interface PublishedPrekeys {
  readonly signedPublic: Uint8Array;
  readonly signedSignature: Uint8Array;
  readonly kyberPublic: Uint8Array;
  readonly kyberSignature: Uint8Array;
  readonly oneTimePublic: Uint8Array | undefined;
}

export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

export class PeerStores {
  readonly sessions = new MemorySessions();
  readonly identities: MemoryIdentities;
  readonly prekeys = new MemoryPrekeys();
  readonly signedPrekeys = new MemorySignedPrekeys();
  readonly kyberPrekeys = new MemoryKyberPrekeys();

  constructor(privateKey: signal.PrivateKey, registrationId: number) {
    this.identities = new MemoryIdentities(privateKey, registrationId);
  }
}

const keyOf = (address: signal.ProtocolAddress) => `${address.name()}.${address.deviceId()}`;

class MemorySessions extends signal.SessionStore {
  readonly #records = new Map<string, Uint8Array<ArrayBuffer>>();

  async saveSession(name: signal.ProtocolAddress, record: signal.SessionRecord): Promise<void> {
    this.#records.set(keyOf(name), record.serialize());
  }

  async getSession(name: signal.ProtocolAddress): Promise<signal.SessionRecord | null> {
    const found = this.#records.get(keyOf(name));
    return found === undefined ? null : signal.SessionRecord.deserialize(found);
  }

  async getExistingSessions(addresses: signal.ProtocolAddress[]): Promise<signal.SessionRecord[]> {
    const found = await Promise.all(addresses.map((address) => this.getSession(address)));
    return found.filter((record) => record !== null);
  }
}

class MemoryIdentities extends signal.IdentityKeyStore {
  readonly #privateKey: signal.PrivateKey;
  readonly #registrationId: number;
  readonly #known = new Map<string, signal.PublicKey>();

  constructor(privateKey: signal.PrivateKey, registrationId: number) {
    super();
    this.#privateKey = privateKey;
    this.#registrationId = registrationId;
  }

  async getIdentityKey(): Promise<signal.PrivateKey> {
    return this.#privateKey;
  }

  async getLocalRegistrationId(): Promise<number> {
    return this.#registrationId;
  }

  async saveIdentity(
    name: signal.ProtocolAddress,
    key: signal.PublicKey,
  ): Promise<signal.IdentityChange> {
    const before = this.#known.get(keyOf(name));
    this.#known.set(keyOf(name), key);
    return before === undefined || before.equals(key)
      ? signal.IdentityChange.NewOrUnchanged
      : signal.IdentityChange.ReplacedExisting;
  }

  async isTrustedIdentity(name: signal.ProtocolAddress, key: signal.PublicKey): Promise<boolean> {
    const known = this.#known.get(keyOf(name));
    return known === undefined || known.equals(key);
  }

  async getIdentity(name: signal.ProtocolAddress): Promise<signal.PublicKey | null> {
    return this.#known.get(keyOf(name)) ?? null;
  }
}

class MemoryPrekeys extends signal.PreKeyStore {
  readonly #records = new Map<number, signal.PreKeyRecord>();

  async savePreKey(id: number, record: signal.PreKeyRecord): Promise<void> {
    this.#records.set(id, record);
  }

  async getPreKey(id: number): Promise<signal.PreKeyRecord> {
    return found(this.#records.get(id), id);
  }

  async removePreKey(id: number): Promise<void> {
    this.#records.delete(id);
  }
}

class MemorySignedPrekeys extends signal.SignedPreKeyStore {
  readonly #records = new Map<number, signal.SignedPreKeyRecord>();

  async saveSignedPreKey(id: number, record: signal.SignedPreKeyRecord): Promise<void> {
    this.#records.set(id, record);
  }

  async getSignedPreKey(id: number): Promise<signal.SignedPreKeyRecord> {
    return found(this.#records.get(id), id);
  }
}

class MemoryKyberPrekeys extends signal.KyberPreKeyStore {
  readonly #records = new Map<number, signal.KyberPreKeyRecord>();

  async saveKyberPreKey(id: number, record: signal.KyberPreKeyRecord): Promise<void> {
    this.#records.set(id, record);
  }

  async getKyberPreKey(id: number): Promise<signal.KyberPreKeyRecord> {
    return found(this.#records.get(id), id);
  }

  async markKyberPreKeyUsed(): Promise<void> {}
}

function found<T>(record: T | undefined, id: number): T {
  if (record === undefined) throw new Error(`no prekey ${id}`);
  return record;
}
