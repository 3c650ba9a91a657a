import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type AccountChange,
  AccountChangeSchema,
  type AccountEntry,
  AccountEntrySchema,
  type DeviceEntry,
  type SignedAccountEntry,
  SignedAccountEntrySchema,
} from "@parley/protocol";
import { describe, expect, test } from "vitest";
import {
  type AccountState,
  accountHead,
  accountIdOf,
  accountStateHash,
  type ChainToVerify,
  type DeviceKeys,
  deriveDeviceKeys,
  ed25519PublicKey,
  ed25519Sign,
  LABELS,
  labelled,
  makeDeviceEntry,
  type SignedStep,
  signDeviceEntry,
  signFirstEntry,
  signNextEra,
  verifyAccountChain,
} from "../src/index.ts";
import { run } from "./fixtures/party.ts";
import { seededRandom } from "./fixtures/random.ts";

const random = seededRandom("chain");
const rootSeed = random(32);
const rootKey = run(ed25519PublicKey(rootSeed));
const accountId = accountIdOf(rootKey);

interface Device {
  readonly keys: DeviceKeys;
  readonly entry: DeviceEntry;
}

function device(deviceId: number, of = accountId): Device {
  const keys = run(deriveDeviceKeys(random(32)));
  const as = { accountId: of, deviceId, registrationId: 5, sealedName: new Uint8Array(0) };
  return { keys, entry: run(makeDeviceEntry(keys, as)) };
}

const [one, two, three] = [device(1), device(2), device(3)] as const;
const first = run(signFirstEntry(rootSeed, one.entry));
const signedBy = (deviceId: number, { keys }: Device) => ({ deviceId, keys });

function change(made: AccountChange["change"]): AccountChange {
  return create(AccountChangeSchema, { change: made });
}
const add = (added: Device) => change({ case: "addDevice", value: added.entry });
const remove = (deviceId: number) =>
  change({
    case: "removeDevice",
    value: { $typeName: "parley.wire.v1.RemoveDevice", deviceId },
  });

const addTwo = run(signDeviceEntry(signedBy(1, one), first.state, [add(two)]));
const removeOne = run(signDeviceEntry(signedBy(2, two), addTwo.state, [remove(1)]));

const verify = (entries: readonly SignedAccountEntry[], known?: AccountState) =>
  run(verifyAccountChain({ accountId, entries, known }));

const reasonOf = (chain: Omit<ChainToVerify, "accountId">) => {
  const verdict = verify(chain.entries, chain.known);
  return verdict.kind === "refused" ? verdict.reason : verdict.kind;
};

/** An entry with something changed in its body, signed properly all the same. */
function resigned(
  { entry }: SignedStep,
  seed: Uint8Array,
  alter: (body: AccountEntry) => void,
): SignedAccountEntry {
  const body = fromBinary(AccountEntrySchema, entry.body);
  alter(body);
  const bytes = toBinary(AccountEntrySchema, body);
  const signature = run(ed25519Sign(seed, labelled(LABELS.accountEntry, bytes)));
  return create(SignedAccountEntrySchema, { body: bytes, signature });
}

describe("a chain that verifies", () => {
  test("gives the state after its last entry, and where each entry stands", () => {
    const verdict = verify([first.entry, addTwo.entry, removeOne.entry]);
    expect(verdict).toMatchObject({ kind: "valid", state: removeOne.state });
    if (verdict.kind !== "valid") return;
    expect(verdict.places.map(({ era, version }) => [era, version])).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
    ]);
    expect(verdict.state.devices.map(({ deviceId }) => deviceId)).toEqual([2]);
    expect(accountHead(verdict.state).hash).toEqual(verdict.state.headHash.subarray(0, 16));
  });

  test("goes on from what is known, whether the answer repeats that or not", () => {
    for (const entries of [
      [addTwo.entry],
      [first.entry, addTwo.entry],
      [first.entry, addTwo.entry, removeOne.entry].slice(0, 2),
    ])
      expect(verify(entries, first.state)).toMatchObject({ kind: "valid", state: addTwo.state });
    expect(verify([first.entry], first.state)).toMatchObject({ kind: "valid", state: first.state });
    expect(verify([], first.state)).toMatchObject({ kind: "valid", state: first.state });
  });

  test("may begin at any entry of the root", () => {
    const era2 = run(signNextEra(rootSeed, addTwo.state, [three.entry]));
    const inEra2 = run(signDeviceEntry(signedBy(3, three), era2.state, [add(device(4))]));
    expect(verify([era2.entry, inEra2.entry])).toMatchObject({
      kind: "valid",
      state: inEra2.state,
    });
  });

  test("voids with a new era what the root does not accept", () => {
    // The thief's device 2 removed the owner; the root accepts the entry before that.
    const era2 = run(signNextEra(rootSeed, first.state, [three.entry]));
    expect(verify([era2.entry], removeOne.state)).toMatchObject({
      kind: "valid",
      state: { era: 2, version: 1 },
    });
    const late = run(signDeviceEntry(signedBy(2, two), removeOne.state, [add(one)]));
    expect(reasonOf({ entries: [late.entry], known: era2.state })).toBe("wrong-place");
    expect(reasonOf({ entries: [era2.entry, late.entry] })).toBe("wrong-place");
  });
});

describe("a chain is never given up for", () => {
  test("an older one", () => {
    expect(verify([first.entry], addTwo.state).kind).toBe("older");
    const era2 = run(signNextEra(rootSeed, addTwo.state, [one.entry]));
    expect(verify([first.entry, addTwo.entry, removeOne.entry], era2.state).kind).toBe("older");
  });

  test("one with another entry at the same place", () => {
    const other = run(signDeviceEntry(signedBy(1, one), first.state, [add(three)]));
    expect(verify([first.entry, other.entry], addTwo.state).kind).toBe("forked");
    const longer = run(signDeviceEntry(signedBy(1, one), other.state, [add(device(5))]));
    expect(verify([first.entry, other.entry, longer.entry], addTwo.state).kind).toBe("forked");
    expect(reasonOf({ entries: [longer.entry], known: addTwo.state })).toBe("wrong-previous-hash");
    const settled = run(signNextEra(rootSeed, longer.state, [one.entry]));
    expect(verify([first.entry, other.entry, longer.entry, settled.entry], addTwo.state).kind).toBe(
      "valid",
    );
  });
});

describe("an entry is refused", () => {
  const addTwoBut = (alter: (body: AccountEntry) => void) =>
    reasonOf({ entries: [first.entry, resigned(addTwo, one.keys.seed, alter)] });
  const firstBut = (alter: (body: AccountEntry) => void) =>
    reasonOf({ entries: [resigned(first, rootSeed, alter)] });

  test("unless it is unchanged (the control)", () => {
    expect(addTwoBut(() => undefined)).toBe("valid");
    expect(firstBut(() => undefined)).toBe("valid");
  });

  test("with a signature of somebody else", () => {
    const forged = resigned(addTwo, two.keys.seed, () => undefined);
    expect(reasonOf({ entries: [first.entry, forged] })).toBe("wrong-signature");
    expect(reasonOf({ entries: [resigned(first, one.keys.seed, () => undefined)] })).toBe(
      "wrong-signature",
    );
    const cut = create(SignedAccountEntrySchema, { body: first.entry.body });
    expect(reasonOf({ entries: [cut] })).toBe("wrong-signature");
  });

  test("at a place that is not the next", () => {
    expect(addTwoBut((body) => (body.version = 3))).toBe("wrong-place");
    expect(addTwoBut((body) => (body.era = 2))).toBe("wrong-place");
    expect(firstBut((body) => (body.version = 2))).toBe("wrong-place");
    expect(firstBut((body) => (body.era = 2))).toBe("wrong-place");
    expect(reasonOf({ entries: [first.entry, removeOne.entry] })).toBe("wrong-place");
    expect(reasonOf({ entries: [first.entry, addTwo.entry, first.entry] })).toBe("wrong-place");
  });

  test("behind another entry than it names", () => {
    expect(addTwoBut((body) => (body.previousHash = new Uint8Array(32)))).toBe(
      "wrong-previous-hash",
    );
    expect(firstBut((body) => (body.previousHash = new Uint8Array(32)))).toBe(
      "wrong-previous-hash",
    );
  });

  test("with another state than it leads to", () => {
    expect(addTwoBut((body) => (body.stateHash = new Uint8Array(32)))).toBe("wrong-state-hash");
  });

  test("of another account, or of another root", () => {
    expect(firstBut((body) => (body.accountId = new Uint8Array(16)))).toBe("other-account");
    const otherRoot = run(ed25519PublicKey(random(32)));
    expect(
      firstBut((body) => {
        if (body.signer.case === "root") body.signer.value.rootKey = otherRoot;
      }),
    ).toBe("other-root");
  });

  test("by a device that is not listed, or no longer", () => {
    expect(
      addTwoBut((body) => {
        if (body.signer.case === "device") body.signer.value.deviceId = 2;
      }),
    ).toBe("signer-not-listed");
    const byRemoved = resigned(
      run(signDeviceEntry(signedBy(2, two), removeOne.state, [add(three)])),
      one.keys.seed,
      (body) => {
        if (body.signer.case === "device") body.signer.value.deviceId = 1;
      },
    );
    expect(reasonOf({ entries: [first.entry, addTwo.entry, removeOne.entry, byRemoved] })).toBe(
      "signer-not-listed",
    );
  });

  test("by a device where only the root may sign", () => {
    expect(reasonOf({ entries: [addTwo.entry] })).toBe("no-root-entry");
    const setDevices = (body: AccountEntry) => {
      const value = { $typeName: "parley.wire.v1.SetDevices" as const, devices: [one.entry] };
      body.changes = [change({ case: "setDevices", value })];
    };
    expect(addTwoBut(setDevices)).toBe("root-only-change");
    const place = { $typeName: "parley.wire.v1.AccountEntryPlace" as const, era: 1, version: 1 };
    expect(addTwoBut((body) => (body.accepts = { ...place, hash: new Uint8Array(32) }))).toBe(
      "wrong-place",
    );
  });

  test("that lists a device without its consent", () => {
    const stolen = device(2, new Uint8Array(16));
    const listed = (entry: DeviceEntry) => (body: AccountEntry) => {
      body.changes = [change({ case: "addDevice", value: entry })];
      body.stateHash = accountStateHash({ accountId, rootKey }, [one.entry, entry]);
    };
    expect(addTwoBut(listed(two.entry))).toBe("valid");
    expect(addTwoBut(listed(stolen.entry))).toBe("device-without-consent");
    expect(addTwoBut(listed({ ...two.entry, registrationId: 6 }))).toBe("device-without-consent");
    const lowOrder = { ...two.entry, identityKey: new Uint8Array(32) };
    expect(addTwoBut(listed(lowOrder))).toBe("device-without-consent");
  });

  test("that lists an id or a key twice, removes what is not there, or leaves nobody", () => {
    const withChanges = (...changes: AccountChange[]) =>
      addTwoBut((body) => (body.changes = changes));
    expect(withChanges(add(device(1)))).toBe("device-id-taken");
    const again = { ...one.entry, deviceId: 2 };
    expect(withChanges(change({ case: "addDevice", value: again }))).toBe("device-key-taken");
    expect(withChanges(remove(2))).toBe("device-not-listed");
    expect(withChanges(remove(1))).toBe("no-devices");
    const many = Array.from({ length: 8 }, (_, n) => add(device(n + 2)));
    expect(withChanges(...many)).toBe("too-many-devices");
  });

  test("with a change that is reserved or not known", () => {
    const rotate = { $typeName: "parley.wire.v1.RotateRoot" as const, rootKey };
    const rotation = [change({ case: "rotateRoot", value: rotate })];
    expect(addTwoBut((body) => (body.changes = rotation))).toBe("unknown-change");
    expect(addTwoBut((body) => (body.changes = [create(AccountChangeSchema)]))).toBe("malformed");
  });

  test("that is none", () => {
    const none = create(SignedAccountEntrySchema, { body: random(40), signature: random(64) });
    expect(reasonOf({ entries: [none] })).toBe("malformed");
    expect(reasonOf({ entries: [] })).toBe("empty");
  });
});

test("nobody signs what no verifier takes", () => {
  expect(() => run(signDeviceEntry(signedBy(1, one), first.state, [remove(1)]))).toThrow(
    "no-devices",
  );
});
