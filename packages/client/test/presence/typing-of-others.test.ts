import { create, toBinary } from "@bufbuild/protobuf";
import { sealLive } from "@parley/crypto";
import {
  DeliveryClass,
  type Envelope,
  EnvelopeSchema,
  fromHex,
  LiveContent_Activity,
  LiveContentSchema,
} from "@parley/protocol";
import { beforeEach, expect, test } from "vitest";
import type { MessengerEvent } from "../../src/api.ts";
import { newContact, putContact } from "../../src/contacts.ts";
import type { Parts } from "../../src/parts.ts";
import { MemoryClientStore } from "../../src/platform/memory/index.ts";
import { holdKeys } from "../../src/presence/held-keys.ts";
import { newSharedKey } from "../../src/presence/shared-key.ts";
import { TypingOfOthers } from "../../src/presence/typing-of-others.ts";
import { Transactor } from "../../src/store/transactor.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

const OWN = "a".repeat(32);
const BOB = { accountId: "b".repeat(32), deviceId: 1 };
const NOW_MS = 1_800_000_000_000;
const random = seededRandom(3);
const KEYS = [1, 2, 3].map(() => newSharedKey(random));

let clock: ManualClock;
let events: MessengerEvent[];
let isListed: boolean;
let typing: TypingOfOthers;

beforeEach(async () => {
  clock = new ManualClock();
  events = [];
  isListed = true;
  const transactor = new Transactor(new MemoryClientStore(), (cause) => {
    throw cause;
  });
  const directory = {
    device: async () => (isListed ? { address: BOB } : undefined),
    handleOf: async () => "bob",
  };
  const identity = { account: { accountId: OWN, deviceId: 1 } };
  const device = { transactor, directory, identity };
  const emit = (event: MessengerEvent) => events.push(event);
  typing = new TypingOfOthers({ device, clock, random, emit } as unknown as Parts);
  typing.welcomed(BigInt(NOW_MS + 10_000)); // Whose own estimate lags is heard all the same.
  await transactor.transact(async (tx) => {
    putContact(tx, BOB.accountId, { ...newContact(), accepted: true });
    for (const liveKey of KEYS)
      await holdKeys(tx, BOB, { liveKey: { ...liveKey, $typeName: "parley.content.v1.LiveKey" } });
  });
});

function frame(
  afterMs: number,
  { key = 2, activity = LiveContent_Activity.TYPING as LiveContent_Activity } = {},
): Envelope {
  const timeMs = BigInt(NOW_MS + afterMs);
  const ciphertext = sealLive(
    KEYS[key] as (typeof KEYS)[number],
    { senderAccount: fromHex(BOB.accountId), senderDevice: 1, recipient: fromHex(OWN) },
    toBinary(LiveContentSchema, create(LiveContentSchema, { timeMs, activity })),
    random(12),
  );
  return create(EnvelopeSchema, {
    ...{ id: random(16), deliveryClass: DeliveryClass.LIVE, ciphertext, acceptedAtMs: timeMs },
    ...{ sourceAccount: fromHex(BOB.accountId), sourceDevice: 1 },
  });
}

const states = () => events.map((event) => event.type === "typing" && event.state);

test("shows what is said under the newest key and the one before it, and under none that is older", async () => {
  await typing.take(frame(1, { key: 0 }));
  expect(states()).toEqual([]);
  await typing.take(frame(2, { key: 1 }));
  await typing.take(frame(3, { key: 2, activity: LiveContent_Activity.RECORDING }));
  expect(states()).toEqual(["typing", "recording"]);
});

test("a device that is not listed any more says nothing", async () => {
  isListed = false;
  await typing.take(frame(1));
  expect(states()).toEqual([]);
});

test("times rise for each device, from the welcome on", async () => {
  for (const afterMs of [0, 5, 5, 4, 6]) await typing.take(frame(afterMs));
  expect(states()).toEqual(["typing", "typing"]);
});

test("each frame keeps it shown for 8 seconds more, and a stop ends it once", async () => {
  await typing.take(frame(1));
  await clock.pass(7_999);
  await typing.take(frame(2));
  await clock.pass(7_999);
  expect(states()).toEqual(["typing", "typing"]);
  await clock.pass(1);
  expect(states()).toEqual(["typing", "typing", "stopped"]);
  await typing.take(frame(3));
  await typing.take(frame(4, { activity: LiveContent_Activity.STOPPED }));
  await typing.take(frame(5, { activity: LiveContent_Activity.STOPPED }));
  await clock.pass(20_000);
  expect(states().slice(3)).toEqual(["typing", "stopped"]);
});

test("an activity that came later is no typing", async () => {
  await typing.take(frame(1, { activity: 9 as LiveContent_Activity }));
  expect(states()).toEqual([]);
});

test("a connection that is lost ends what was shown", async () => {
  await typing.take(frame(1));
  typing.disconnected();
  expect(states()).toEqual(["typing", "stopped"]);
});
