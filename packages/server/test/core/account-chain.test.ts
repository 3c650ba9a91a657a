import { create } from "@bufbuild/protobuf";
import { ErrorCode, SignedAccountEntrySchema } from "@parley/protocol";
import { expect, test } from "vitest";
import { checkChain, SupersededEntryError } from "../../src/core/account-chain.ts";
import { randomBytes } from "../fixtures/keys.ts";
import { type Device, Person } from "../fixtures/person.ts";

const NOW = 1_000;

const check = (person: Person) =>
  checkChain(
    person.entries.map((entry) => create(SignedAccountEntrySchema, entry)),
    NOW,
  );

function add(person: Person, id: number): Device {
  const device = person.newDevice(id);
  const after = [...person.devices, device];
  const entry = person.deviceEntry(person.phone, { case: "addDevice", value: device.entry }, after);
  person.takes(entry, { era: person.era, version: person.version + 1 }, after);
  return device;
}

const set = (devices: readonly Device[]) => ({
  case: "setDevices" as const,
  value: { devices: devices.map(({ entry }) => entry) },
});

test("follows a chain through entries of devices and the next era of the root", () => {
  const person = new Person("p");
  add(person, 2);
  const tablet = add(person, 3);
  person.entries.push(person.rootEntry(set([person.phone, tablet]), [person.phone, tablet]));
  const states = check(person).map(({ state }) => state);
  expect(states.map(({ devices }) => devices.map(({ deviceId }) => deviceId))).toEqual([
    [1],
    [1, 2],
    [1, 2, 3],
    [1, 3],
  ]);
  expect(states.at(-1)?.head).toMatchObject({ era: 2, version: 1 });
});

test("keeps when a device was first listed, through the root's entries", () => {
  const person = new Person("p");
  const [first] = check(person);
  person.entries.push(person.rootEntry(set([person.phone]), [person.phone]));
  const later = person.entries.map((entry) => create(SignedAccountEntrySchema, entry));
  expect(first?.state.devices[0]?.addedAtMs).toBe(NOW);
  expect(checkChain(later, NOW)[1]?.state.devices[0]?.addedAtMs).toBe(NOW);
});

test("lets the root leave out what devices signed after the entry that it accepts", () => {
  const person = new Person("p");
  const place = { era: 1, version: 1, hash: person.headHash };
  add(person, 2);
  person.entries.push(
    person.rootEntry(set([person.phone]), [person.phone], {
      accepts: place,
      previousHash: place.hash,
    }),
  );
  expect(check(person).at(-1)?.state.devices).toHaveLength(1);
});

test("refuses an entry of the root that is not the first of the next era, or accepts what is not there", () => {
  for (const [wrong, isSuperseded] of [
    [{ version: 2 }, false],
    [{ era: 3 }, true],
    [{ previousHash: randomBytes(32) }, false],
    [{ accepts: { era: 1, version: 1, hash: randomBytes(32) } }, true],
    [{ accepts: { era: 1, version: 5, hash: randomBytes(32) } }, true],
    [{ withdraws: { era: 1, version: 1, hash: randomBytes(32) } }, false],
  ] as const) {
    const person = new Person("p");
    person.entries.push(person.rootEntry(set([person.phone]), [person.phone], wrong));
    const refusal = expect.objectContaining({ code: ErrorCode.INVALID_ACCOUNT_ENTRY });
    expect(() => check(person)).toThrow(refusal);
    const kind = isSuperseded ? expect.any(SupersededEntryError) : expect.anything();
    expect(() => check(person)).toThrow(kind);
  }
});

test("lists eight devices at most", () => {
  const person = new Person("p");
  for (let id = 2; id <= 8; id++) add(person, id);
  expect(check(person).at(-1)?.state.devices).toHaveLength(8);
  add(person, 9);
  expect(() => check(person)).toThrow(/too many devices/);
});

test("accepts at the root an entry of the era before only", () => {
  const person = new Person("p");
  const first = { era: 1, version: 1, hash: person.headHash };
  person.entries.push(person.rootEntry(set([person.phone]), [person.phone]));
  const wrong = { accepts: first, previousHash: first.hash };
  person.entries.push(person.rootEntry(set([person.phone]), [person.phone], wrong));
  expect(() => check(person)).toThrow(SupersededEntryError);
});

test("lists one key once", () => {
  const person = new Person("p");
  const twin = person.newDevice(2, person.phone.key);
  person.entries.push(
    person.deviceEntry(person.phone, { case: "addDevice", value: twin.entry }, [
      person.phone,
      twin,
    ]),
  );
  expect(() => check(person)).toThrow(/key that is taken/);
});

test("refuses entries that are swapped, or of another account", () => {
  const person = new Person("p");
  add(person, 2);
  add(person, 3);
  const [first, second, third] = person.entries;
  person.entries = [first, third, second] as typeof person.entries;
  expect(() => check(person)).toThrow(SupersededEntryError);
  const other = new Person("q");
  add(other, 2);
  person.entries = [first, other.entries[1]] as typeof person.entries;
  expect(() => check(person)).toThrow(/another account/);
});
