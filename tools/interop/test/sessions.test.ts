import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as signal from "@signalapp/libsignal-client";
import { bundleOf, MESSAGE, PREKEY_MESSAGE } from "./our-device.ts";
import { Pair } from "./pair.ts";

for (const oneTimeId of [21, undefined]) {
  const which = oneTimeId === undefined ? "without" : "with";
  describe(`a session ${which} a one-time prekey`, () => {
    test("that we begin", async () => {
      const pair = new Pair();
      await pair.weBegin(oneTimeId);
      const first = pair.say("hello");
      const second = pair.say("and again");
      assert.equal(first[0], PREKEY_MESSAGE);
      assert.equal(await pair.peerHears(second), "and again");
      assert.equal(await pair.peerHears(first), "hello");
      await pair.talk();
      assert.equal(pair.say("settled")[0], MESSAGE);
    });

    test("that libsignal begins", async () => {
      const pair = new Pair();
      await pair.theyBegin(oneTimeId);
      const first = await pair.peerSays("hello");
      const second = await pair.peerSays("and again");
      assert.equal(first[0], PREKEY_MESSAGE);
      assert.equal(pair.hear(second), "and again");
      assert.equal(pair.hear(first), "hello");
      assert.equal(pair.ours.oneTime.size, 0);
      await pair.talk();
      assert.equal((await pair.peerSays("settled"))[0], MESSAGE);
    });
  });
}

test("sessions that both begin at once converge", async () => {
  for (const ours of [21, undefined])
    for (const theirs of [31, undefined]) {
      const pair = new Pair();
      await pair.weBegin(ours);
      await pair.theyBegin(theirs);
      const [a, b] = [pair.say("ours"), await pair.peerSays("theirs")];
      assert.equal(await pair.peerHears(a), "ours");
      assert.equal(pair.hear(b), "theirs");
      await pair.talk();
      assert.deepEqual([pair.say("x")[0], (await pair.peerSays("y"))[0]], [MESSAGE, MESSAGE]);
    }
});

test("messages in any order are read, each once, by both", async () => {
  const pair = await Pair.settled();
  const order = [6, 0, 3, 9, 1, 8, 2, 7, 5, 4];
  const ours = order.map((_, n) => pair.say(`ours ${n}`));
  const theirs: Uint8Array[] = [];
  for (const n of order.keys()) theirs.push(await pair.peerSays(`theirs ${n}`));
  for (const n of order) {
    assert.equal(await pair.peerHears(ours[n] as Uint8Array), `ours ${n}`);
    assert.equal(pair.hear(theirs[n] as Uint8Array), `theirs ${n}`);
  }
  for (const n of order) {
    await assert.rejects(pair.peerHears(ours[n] as Uint8Array));
    assert.equal(pair.hear(theirs[n] as Uint8Array), "(repeat)");
  }
  await pair.talk();
});

test("messages that cross turns of the ratchet are read late", async () => {
  const pair = await Pair.settled();
  const [late, lateToo] = [pair.say("late"), await pair.peerSays("late too")];
  await pair.talk(2);
  assert.equal(await pair.peerHears(late), "late");
  assert.equal(pair.hear(lateToo), "late too");
  await pair.talk(2);
});

test("lost messages hinder nobody", async () => {
  const pair = await Pair.settled();
  for (let n = 0; n < 300; n++) pair.say("lost");
  for (let n = 0; n < 300; n++) await pair.peerSays("lost");
  await pair.talk();
});

test("a tampered message is refused by both, and the genuine one read afterwards", async () => {
  const pair = await Pair.settled();
  const ours = pair.say("ours");
  const theirs = await pair.peerSays("theirs");
  for (const genuine of [ours, theirs])
    for (let at = 1; at < genuine.length; at += 7) {
      const tampered = Uint8Array.from(genuine);
      tampered[at] = (tampered[at] as number) ^ 0x10;
      if (genuine === ours) await assert.rejects(pair.peerHears(tampered));
      else {
        const before = pair.ours.stored;
        assert.match(pair.hear(tampered), /^\((not-authentic|malformed|too-far-ahead|repeat)\)$/);
        assert.deepEqual(pair.ours.stored, before);
      }
    }
  assert.equal(await pair.peerHears(ours), "ours");
  assert.equal(pair.hear(theirs), "theirs");
});

test("a prekey message that comes again is a repeat, and its prekey serves nobody else", async () => {
  const pair = new Pair();
  await pair.theyBegin(21);
  const first = await pair.peerSays("hello");
  assert.equal(pair.hear(first), "hello");
  assert.equal(pair.hear(first), "(repeat)");
  pair.ours.stored = undefined;
  assert.equal(pair.hear(first), "(unknown-prekey)");
});

test("a replayed handshake on the last-resort prekey begins no second session", async () => {
  const pair = new Pair();
  await pair.theyBegin();
  const first = await pair.peerSays("hello");
  assert.equal(pair.hear(first), "hello");
  pair.ours.stored = undefined;
  assert.equal(pair.hear(first), "(replayed-handshake)");
});

test("a session begun anew replaces one that is lost", async () => {
  const pair = await Pair.settled();
  pair.ours.stored = undefined;
  assert.equal(pair.hear(await pair.peerSays("for nobody")), "(no-session)");
  await pair.weBegin(22);
  assert.equal(await pair.peerHears(pair.say("new")), "new");
  await pair.talk();
});

test("a bundle whose signatures do not hold is refused by both", async () => {
  const pair = new Pair();
  const genuine = pair.ours.bundleForPeer();
  const other = new Pair().ours.bundleForPeer();
  for (const wrong of ["signed", "kyber"]) {
    const bundle = signal.PreKeyBundle.new(
      genuine.registrationId(),
      genuine.deviceId(),
      null,
      null,
      genuine.signedPreKeyId(),
      genuine.signedPreKeyPublic(),
      (wrong === "signed" ? other : genuine).signedPreKeySignature(),
      genuine.identityKey(),
      genuine.kyberPreKeyId(),
      genuine.kyberPreKeyPublic(),
      (wrong === "kyber" ? other : genuine).kyberPreKeySignature(),
    );
    await assert.rejects(pair.peer.begin(bundle, pair.ours.address));
  }
  await pair.peer.begin(genuine, pair.ours.address);
  const published = await pair.peer.publish({ signed: 7, kyber: 8 });
  const wrong = { ...published, kyberSignature: published.signedSignature };
  assert.throws(() => pair.ours.begin(bundleOf(pair.peer, wrong)), /wrong-signature/);
  pair.ours.begin(bundleOf(pair.peer, published));
});
