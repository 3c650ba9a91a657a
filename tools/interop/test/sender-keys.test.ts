import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import * as signal from "@signalapp/libsignal-client";
import {
  decodeOwnSenderKey,
  distributionOf,
  encodeOwnSenderKey,
  encryptToGroup,
  prepareToSend,
  type RemoteDevice,
  SENDER_KEY_MESSAGE_KIND,
  withHolders,
} from "../../../packages/crypto/src/index.ts";
import { GROUP, GroupParty, textIn } from "../../../packages/crypto/test/fixtures/group-party.ts";
import { run } from "../../../packages/crypto/test/fixtures/party.ts";
import { KeyDistributionSchema, toUuid } from "../../../packages/protocol/src/index.ts";
import { owned, Peer } from "./peer.ts";
import { MemorySenderKeys } from "./sender-key-store.ts";

const MEMBERS = 256;
const MESSAGES = 8;

/** A member who uses libsignal. */
class PeerMember {
  readonly address: signal.ProtocolAddress;
  readonly store = new MemorySenderKeys();
  readonly device: RemoteDevice;
  readonly distributionId = randomUUID();

  constructor() {
    const peer = new Peer(randomUUID(), 1, 1);
    this.address = peer.address;
    const accountId = Buffer.from(peer.address.name().replaceAll("-", ""), "hex");
    this.device = { accountId, deviceId: 1, identity: peer.identity.publicKey.serialize() };
  }

  async distribution(): Promise<Uint8Array> {
    const { address, distributionId, store } = this;
    const { SenderKeyDistributionMessage } = signal;
    return (await SenderKeyDistributionMessage.create(address, distributionId, store)).serialize();
  }

  async say(text: string): Promise<Uint8Array> {
    const { accountId, deviceId } = this.device;
    const content = Buffer.concat([GROUP, accountId, Uint8Array.of(deviceId), Buffer.from(text)]);
    const message = await signal.groupEncrypt(
      this.address,
      this.distributionId,
      this.store,
      owned(content),
    );
    return Buffer.concat([Uint8Array.of(SENDER_KEY_MESSAGE_KIND), message.serialize()]);
  }

  async take(from: signal.ProtocolAddress, distribution: Uint8Array): Promise<void> {
    const message = signal.SenderKeyDistributionMessage.deserialize(owned(distribution));
    await signal.processSenderKeyDistributionMessage(from, message, this.store);
  }

  async read(from: signal.ProtocolAddress, ciphertext: Uint8Array): Promise<string> {
    return textIn(await signal.groupDecrypt(from, this.store, owned(ciphertext.subarray(1))));
  }
}

/** One of ours who speaks to all others. */
function speak(sender: GroupParty, texts: readonly string[], to: readonly RemoteDevice[]) {
  sender.own = encodeOwnSenderKey(withHolders(sender.key, to));
  const distribution = distributionOf(sender.key);
  const ciphertexts = texts.map((text) => {
    const prepared = prepareToSend(decodeOwnSenderKey(sender.own), to, sender.nowMs);
    if (prepared.kind !== "ready") throw new Error(prepared.kind);
    const sent = run(encryptToGroup(prepared.key, sender.content(text), sender.nowMs));
    if (sent.kind !== "encrypted") throw new Error(sent.reason);
    sender.own = encodeOwnSenderKey(sent.own);
    return sent.ciphertext;
  });
  return { distribution, ciphertexts };
}

/** Another order for each member, and one message that does not come. */
function orderFor(member: number): number[] {
  const order = Array.from({ length: MESSAGES }, (_, n) => (n * 3 + member) % MESSAGES);
  return order.slice(1);
}

describe(`a group of ${MEMBERS} members, half of whom use libsignal`, () => {
  const ours: GroupParty[] = [];
  const theirs: PeerMember[] = [];
  const texts = Array.from({ length: MESSAGES }, (_, n) => `message ${n}`);

  before(() => {
    for (let n = 0; n < MEMBERS / 2; n++) {
      ours.push(new GroupParty(`member ${n}`));
      theirs.push(new PeerMember());
    }
  });

  test("reads what one of ours says, each message once, in any order", async () => {
    const sender = ours[0] as GroupParty;
    const from = signal.ProtocolAddress.new(toUuid(sender.device.accountId), 1);
    const others = [...ours.slice(1), ...theirs];
    const devices = others.map(({ device }) => device);
    const { distribution, ciphertexts } = speak(sender, texts, devices);
    const key = { groupId: GROUP, distribution, ...sender.device };
    for (const [index, member] of others.entries()) {
      if (member instanceof GroupParty)
        assert.equal(
          member.takeKey(sender.device, create(KeyDistributionSchema, key)).kind,
          "accepted",
        );
      else await member.take(from, distribution);
      for (const n of orderFor(index)) {
        const ciphertext = ciphertexts[n] as Uint8Array;
        if (member instanceof GroupParty) assert.equal(member.read(sender, ciphertext), texts[n]);
        else {
          assert.equal(await member.read(from, ciphertext), texts[n]);
          await assert.rejects(member.read(from, ciphertext));
        }
      }
    }
  });

  test("reads what one of libsignal's says, each message once, in any order", async () => {
    const sender = theirs[0] as PeerMember;
    const distribution = await sender.distribution();
    const ciphertexts: Uint8Array[] = [];
    for (const text of texts) ciphertexts.push(await sender.say(text));
    const { accountId, deviceId } = sender.device;
    const key = create(KeyDistributionSchema, {
      groupId: GROUP,
      distribution,
      accountId,
      deviceId,
    });
    for (const [index, member] of [...ours, ...theirs.slice(1)].entries()) {
      if (member instanceof GroupParty)
        assert.equal(member.takeKey(sender.device, key).kind, "accepted");
      else await member.take(sender.address, distribution);
      for (const n of orderFor(index)) {
        const ciphertext = ciphertexts[n] as Uint8Array;
        if (member instanceof GroupParty) {
          assert.equal(member.read(sender.device, ciphertext), texts[n]);
          assert.equal(member.read(sender.device, ciphertext), "(repeat)");
        } else assert.equal(await member.read(sender.address, ciphertext), texts[n]);
      }
    }
  });

  test("reads nothing of before a distribution, nor what was tampered with", async () => {
    const [sender, late] = [theirs[1] as PeerMember, ours[1] as GroupParty];
    await sender.distribution();
    const early = await sender.say("early");
    const { accountId, deviceId } = sender.device;
    const distribution = await sender.distribution();
    late.takeKey(
      sender.device,
      create(KeyDistributionSchema, { groupId: GROUP, distribution, accountId, deviceId }),
    );
    assert.equal(late.read(sender.device, early), "(before-distribution)");
    const genuine = await sender.say("genuine");
    for (let at = 20; at < genuine.length; at += 11) {
      const tampered = owned(genuine);
      tampered[at] = (tampered[at] as number) ^ 1;
      assert.match(
        late.read(sender.device, tampered),
        /^\((not-authentic|malformed|no-sender-key)\)$/,
      );
    }
    assert.equal(late.read(sender.device, genuine), "genuine");
    const [our, peer] = [ours[2] as GroupParty, theirs[2] as PeerMember];
    const from = signal.ProtocolAddress.new(toUuid(our.device.accountId), 1);
    const spoken = speak(our, ["ours"], [peer.device]);
    await peer.take(from, spoken.distribution);
    const changed = owned(spoken.ciphertexts[0] as Uint8Array);
    changed[40] = (changed[40] as number) ^ 1;
    await assert.rejects(peer.read(from, changed));
    assert.equal(await peer.read(from, spoken.ciphertexts[0] as Uint8Array), "ours");
  });
});
