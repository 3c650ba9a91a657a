import { concatBytes, toHex } from "@parley/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupMessageKeys } from "../src/group/group-message-keys.ts";
import { signedPartOf } from "../src/group/sender-key-message.ts";
import {
  aesCbcEncrypt,
  decryptFromGroup,
  demandRotation,
  devicesLacking,
  devicesUnacknowledged,
  distributionIdOf,
  encodeOwnSenderKey,
  encryptToGroup,
  LARGE_GROUP_ROTATION,
  montgomeryPart,
  prepareToSend,
  type RemoteDevice,
  rotationDue,
  rotationRule,
  SENDER_KEY_MESSAGE_KIND,
  SMALL_GROUP_ROTATION,
  signAsIdentity,
  withAck,
  withHolders,
} from "../src/index.ts";
import { edwardsOf } from "../src/primitives/curve25519.ts";
import { chainStep } from "../src/ratchet/ratchet-keys.ts";
import { claimIn, GROUP, GroupParty, OTHER_GROUP } from "./fixtures/group-party.ts";
import { run } from "./fixtures/party.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

function trio() {
  return [new GroupParty("ada"), new GroupParty("ben"), new GroupParty("cleo")] as const;
}

describe("a group message", () => {
  test("is read by all who hold the key, from one ciphertext", () => {
    const [ada, ben, cleo] = trio();
    const ciphertext = ada.say("hello", [ben, cleo]);
    expect(ciphertext[0]).toBe(0x07);
    expect(ciphertext[1]).toBe(0x33);
    expect([ben.read(ada, ciphertext), cleo.read(ada, ciphertext)]).toEqual(["hello", "hello"]);
  });

  test("that comes again is a repeat, and no failure", () => {
    const [ada, ben] = trio();
    const [first, second] = [ada.say("1", [ben]), ada.say("2", [ben])];
    expect([second, second, first, first, second].map((sent) => ben.read(ada, sent))).toEqual([
      "2",
      "(repeat)",
      "1",
      "(repeat)",
      "(repeat)",
    ]);
  });

  test("is read out of order up to 2,000 ahead, and not one further", () => {
    const [ada, ben] = trio();
    ada.giveKeyTo(ben);
    const ahead = (count: number) => messageAt(ada.key, count, ada.content(`at ${count}`));
    expect(ben.read(ada, ahead(2001))).toBe("(too-far-ahead)");
    expect(ben.read(ada, ahead(2000))).toBe("at 2000");
    expect(ben.read(ada, ahead(1))).toBe("at 1");
    expect(ben.read(ada, ahead(1))).toBe("(repeat)");
  });

  test("that was skipped is read for 30 days", () => {
    for (const [days, read] of [
      [29, "late"],
      [31, "(repeat)"],
    ] as const) {
      const [ada, ben] = trio();
      const late = ada.say("late", [ben]);
      const [second, third] = [ada.say("second", [ben]), ada.say("third", [ben])];
      ben.read(ada, second);
      ben.nowMs += days * DAY_MS;
      ben.read(ada, third); // What has expired goes when the chain is stepped.
      expect(ben.read(ada, late)).toBe(read);
    }
  });

  test("from before a newcomer was given the chain is not his to read", () => {
    const [ada, ben, cleo] = trio();
    const before = ada.say("before", [ben]);
    const after = ada.say("after", [ben, cleo]);
    expect(cleo.read(ada, before)).toBe("(before-distribution)");
    expect(cleo.read(ada, after)).toBe("after");
    expect(ben.read(ada, before)).toBe("before");
  });

  test("changed anywhere changes nothing and says nothing", () => {
    const [ada, ben] = trio();
    ben.read(ada, ada.say("first", [ben]));
    const genuine = ada.say("genuine", [ben]);
    const stored = [...ben.records.values()].map(toHex);
    fc.assert(
      fc.property(
        fc.nat(genuine.length - 1),
        fc.integer({ min: 1, max: 255 }),
        (at, difference) => {
          const changed = genuine.slice();
          changed[at] = (changed[at] as number) ^ difference;
          expect(ben.read(ada, changed)).toMatch(/^\((malformed|not-authentic|no-sender-key)\)$/);
          expect([...ben.records.values()].map(toHex)).toEqual(stored);
        },
      ),
      { numRuns: 500 },
    );
    expect(ben.read(ada, genuine)).toBe("genuine");
  });

  test("whose key has not come waits for it", () => {
    const [ada, ben] = trio();
    const sent = ada.say("early", []);
    expect(ben.read(ada, sent)).toBe("(no-sender-key)");
  });

  test("a forged iteration costs no step of the chain", () => {
    const [ada, ben] = trio();
    const sent = ada.say("one", [ben]);
    const forged = sent.slice();
    const iterationAt = forged.indexOf(0x18, 20) + 1;
    expect(forged[iterationAt]).toBe(0);
    forged[iterationAt] = 0x7f;
    expect(ben.read(ada, forged)).toBe("(not-authentic)");
  });
});

describe("a signature of a sender key", () => {
  test("carries the Edwards sign bit, whichever it is, and fails without it", () => {
    const bits = new Set<number>();
    for (let round = 0; round < 16; round++) {
      const [ada, ben] = [new GroupParty(`sign ${round}`), new GroupParty("ben")];
      const sent = ada.say("hi", [ben]);
      const signBit = (ada.key.signingPublic[31] as number) & 0x80;
      bits.add(signBit);
      expect((sent.at(-1) as number) & 0x80).toBe(signBit);
      const u = montgomeryPart(
        ben.record(GROUP, ada.key.distributionId)?.states[0]?.signingKey as Uint8Array,
      );
      expect(edwardsOf(u, signBit)).toEqual(ada.key.signingPublic);
      const dropped = sent.slice();
      dropped[dropped.length - 1] = (dropped.at(-1) as number) ^ 0x80;
      expect(ben.read(ada, dropped)).toBe("(not-authentic)");
      expect(ben.read(ada, sent)).toBe("hi");
    }
    expect(bits.size).toBe(2);
  });
});

describe("a distribution", () => {
  test("of a second owner is refused, and the first goes on", () => {
    const [ada, ben, cleo] = trio();
    ada.giveKeyTo(ben);
    const { distribution } = ada.distribution();
    const stolen = { ...cleo.distribution(), distribution };
    expect(ben.takeKey(cleo.device, stolen)).toMatchObject({ reason: "second-owner" });
    // Another device under the same address, since the id was given away, is another owner too.
    const successor: RemoteDevice = { ...ada.device, identity: cleo.device.identity };
    expect(ben.takeKey(successor, ada.distribution())).toMatchObject({ reason: "second-owner" });
    const sent = ada.say("mine", [ben]);
    expect(ben.read(ada, sent)).toBe("mine");
    expect(ben.read(cleo, sent)).toBe("(other-sender)");
    expect(ben.read(successor, sent)).toBe("(other-sender)");
  });

  test("that names another device than the session's is refused", () => {
    const [ada, ben, cleo] = trio();
    expect(ben.takeKey(cleo.device, ada.distribution())).toMatchObject({ reason: "false-claim" });
    const otherDevice = { ...ada.distribution(), deviceId: 2 };
    expect(ben.takeKey(ada.device, otherDevice)).toMatchObject({ reason: "false-claim" });
  });

  test("that comes again is acknowledged again, and moves the chain nowhere", () => {
    const [ada, ben] = trio();
    const first = ada.distribution();
    const sent = ada.say("one", [ben]);
    expect(ben.read(ada, sent)).toBe("one");
    for (const again of [first, ada.distribution()])
      expect(ben.takeKey(ada.device, again)).toMatchObject({
        kind: "repeat",
        ack: { groupId: GROUP, distributionId: ada.key.distributionId },
      });
    expect(ben.read(ada, sent)).toBe("(repeat)");
  });

  test("of another chain under an id that is held is refused", () => {
    const [ada, ben, cleo] = trio();
    ada.giveKeyTo(ben);
    const { signingSeed, signingPublic } = cleo.key;
    const other = ada.distribution({ ...ada.key, signingSeed, signingPublic });
    expect(ben.takeKey(ada.device, other)).toMatchObject({ reason: "chain-taken" });
  });

  test("keeps at most five chains, the newest", () => {
    const [ada, ben] = trio();
    for (let chainId = 1; chainId <= 7; chainId++)
      ben.takeKey(ada.device, ada.distribution({ ...ada.key, chainId }));
    const states = ben.record(GROUP, ada.key.distributionId)?.states;
    expect(states?.map(({ chainId }) => chainId)).toEqual([3, 4, 5, 6, 7]);
  });

  test("that is none, or holds a key of low order, is refused", () => {
    const [ada, ben] = trio();
    const good = ada.distribution();
    const lowOrder = good.distribution.slice();
    lowOrder.fill(0, lowOrder.length - 32);
    for (const distribution of [new Uint8Array(0), good.distribution.subarray(1), lowOrder])
      expect(ben.takeKey(ada.device, { ...good, distribution })).toMatchObject({
        reason: "malformed",
      });
  });
});

describe("what a content says of its sender", () => {
  test("is compared before text or record come out, with group, account and device", () => {
    const [ada, ben] = trio();
    const sent = ada.say("mine", [ben]);
    const record = ben.record(GROUP, distributionIdOf(sent) as Uint8Array);
    const context = { groupId: GROUP, from: ada.device, nowMs: ben.nowMs };
    const opened = run(decryptFromGroup(record, context, sent));
    if (opened.kind !== "opened") throw new Error(opened.kind);
    const { checkedBy } = opened.message;
    const claim = { groupId: GROUP, ...ada.device };
    for (const wrong of [
      undefined,
      { ...claim, groupId: OTHER_GROUP },
      { ...claim, accountId: ben.device.accountId },
      { ...claim, deviceId: 2 },
    ])
      expect(checkedBy(() => wrong)).toEqual({ kind: "false-claim" });
    expect(checkedBy(claimIn).kind).toBe("plaintext");
  });

  test("keeps a message out of a group that it was not written for", () => {
    const [ada, ben] = trio();
    // Ada, who is in both, gives one key to both: the server moves the message.
    ben.takeKey(ada.device, { ...ada.distribution(), groupId: OTHER_GROUP });
    ada.giveKeyTo(ben);
    const sent = ada.say("here", [ben]);
    expect(ben.read(ada, sent, OTHER_GROUP)).toBe("(false-claim)");
    expect(ben.read(ada, sent)).toBe("here");
  });
});

describe("who holds a key", () => {
  test("is who was given it, and has said so once its ack comes", () => {
    const [ada, ben, cleo] = trio();
    const devices = [ben.device, cleo.device];
    const given = withHolders(ada.key, [ben.device]);
    expect(devicesLacking(given, devices)).toEqual([cleo.device]);
    expect(devicesUnacknowledged(given, devices)).toEqual([ben.device]);
    const { distributionId } = given;
    const ack = { $typeName: "parley.content.v1.KeyDistributionAck" as const };
    const good = { ...ack, groupId: GROUP, distributionId };
    expect(devicesUnacknowledged(withAck(given, ben.device, good), devices)).toEqual([]);
    for (const [from, wrong] of [
      [ben.device, { ...good, groupId: OTHER_GROUP }],
      [ben.device, { ...good, distributionId: ben.key.distributionId }],
      [cleo.device, good],
      [{ ...ben.device, identity: cleo.device.identity }, good],
    ] as const)
      expect(withAck(given, from, wrong)).toBe(given);
  });

  test("is another device where the id was given to another since", () => {
    const [ada, ben, cleo] = trio();
    const given = withHolders(ada.key, [ben.device]);
    const successor = { ...ben.device, identity: cleo.device.identity };
    expect(devicesLacking(given, [successor])).toEqual([successor]);
    expect(prepareToSend(given, [successor], ada.nowMs)).toEqual({
      kind: "rotate",
      reason: "holder-removed",
    });
  });
});

describe("a key is rotated", () => {
  test.each([
    [1, SMALL_GROUP_ROTATION],
    [64, SMALL_GROUP_ROTATION],
    [65, LARGE_GROUP_ROTATION],
    [512, LARGE_GROUP_ROTATION],
  ])("by the rule of its size, with %i receiving devices", (receivingDevices, rule) => {
    expect(rotationRule(receivingDevices)).toBe(rule);
    const own = new GroupParty("rule").key;
    const created = Number(own.createdAtMs);
    const due = (iteration: number, nowMs: number) =>
      rotationDue({ ...own, iteration }, { receivingDevices, nowMs });
    expect(due(rule.messagesMax - 1, created)).toBeUndefined();
    expect(due(rule.messagesMax, created)).toBe("messages");
    expect(due(0, created + rule.ageMaxMs - 1)).toBeUndefined();
    expect(due(0, created + rule.ageMaxMs)).toBe("age");
    expect(due(0, created - DAY_MS)).toBeUndefined();
  });

  test("after 100 messages and after 24 h, or 1,000 and 7 days", () => {
    expect(SMALL_GROUP_ROTATION).toEqual({ messagesMax: 100, ageMaxMs: DAY_MS });
    expect(LARGE_GROUP_ROTATION).toEqual({ messagesMax: 1000, ageMaxMs: 7 * DAY_MS });
  });

  test("before the next message after a removal, and who was removed cannot read it", () => {
    const [ada, ben, cleo] = trio();
    cleo.read(ada, ada.say("with cleo", [ben, cleo]));
    const before = ada.key.distributionId;
    const sent = ada.say("without cleo", [ben]);
    expect(ada.key.distributionId).not.toEqual(before);
    expect(ben.read(ada, sent)).toBe("without cleo");
    expect(cleo.read(ada, sent)).toBe("(no-sender-key)");
  });

  test("not where somebody is added", () => {
    const [ada, ben, cleo] = trio();
    ada.say("one", [ben]);
    const before = ada.key.distributionId;
    ada.say("two", [ben, cleo]);
    expect(ada.key.distributionId).toEqual(before);
  });

  test("after an alarm, whatever its age", () => {
    const [ada, ben] = trio();
    ada.say("one", [ben]);
    const before = ada.key.distributionId;
    ada.own = encodeOwnSenderKey(demandRotation(ada.key));
    expect(prepareToSend(ada.key, [ben.device], ada.nowMs)).toEqual({
      kind: "rotate",
      reason: "demanded",
    });
    ada.say("two", [ben]);
    expect(ada.key.distributionId).not.toEqual(before);
  });

  test("at its end, though it was ready before", () => {
    const [ada, ben] = trio();
    let key = readyFor(withHolders(ada.key, [ben.device]), ben);
    for (let at = 0; at < SMALL_GROUP_ROTATION.messagesMax; at++) {
      const sent = run(encryptToGroup(key, ada.content("-"), ada.nowMs));
      if (sent.kind !== "encrypted") throw new Error(`ended at ${at}`);
      key = sent.key;
    }
    expect(run(encryptToGroup(key, ada.content("-"), ada.nowMs))).toEqual({
      kind: "rotate",
      reason: "messages",
    });
  });

  test("never uses a message key twice", () => {
    const [ada, ben] = trio();
    const ciphertexts = Array.from({ length: 250 }, () => ada.say("the same", [ben]));
    const blocks = new Set(ciphertexts.map((sent) => toHex(sent.subarray(-100, -64))));
    expect(blocks.size).toBe(ciphertexts.length);
  });
});

test("any order, loss and repetition: each message once, with the store between all steps", () =>
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(fc.nat(), { minLength: 10, maxLength: 80 }),
      (seed, picks) => {
        const [ada, ben] = [new GroupParty(`any ${seed}`), new GroupParty("ben")];
        const sent = Array.from({ length: 20 }, (_, at) => ada.say(`text ${at}`, [ben]));
        const seen = new Set<number>();
        for (const pick of picks) {
          const at = pick % sent.length;
          expect(ben.read(ada, sent[at] as Uint8Array)).toBe(
            seen.has(at) ? "(repeat)" : `text ${at}`,
          );
          seen.add(at);
        }
      },
    ),
    { numRuns: 100, seed: 6 },
  ));

function readyFor(key: GroupParty["key"], ...to: GroupParty[]) {
  const devices = to.map(({ device }) => device);
  const prepared = prepareToSend(withHolders(key, devices), devices, Number(key.createdAtMs));
  if (prepared.kind !== "ready") throw new Error(prepared.kind);
  return prepared.key;
}

/** The message at an iteration, made by hand: the rule of rotation would not let a chain go so far. */
function messageAt(own: GroupParty["key"], iteration: number, content: Uint8Array): Uint8Array {
  let { chainKey } = own;
  for (let at = 0; at < iteration; at++) chainKey = chainStep(chainKey).nextChainKey;
  const { cipherKey, iv } = groupMessageKeys(chainStep(chainKey).seed);
  const { distributionId, chainId } = own;
  const ciphertext = aesCbcEncrypt(cipherKey, iv, content);
  const signed = signedPartOf({ distributionId, chainId, iteration, ciphertext });
  const signer = { seed: own.signingSeed, ed25519Public: own.signingPublic };
  return concatBytes(
    Uint8Array.of(SENDER_KEY_MESSAGE_KIND),
    signed,
    run(signAsIdentity(signer, signed)),
  );
}
