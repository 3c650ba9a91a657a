import { expect, test } from "vitest";
import { type ToldPresence, WatchedPresence } from "../../src/core/watched-presence.ts";
import { NO_PRESENCE, type Presence } from "../../src/ports/presence-store.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

const SHARED: Presence = {
  tokenHash: "right",
  sharesLastSeen: true,
  isOnline: false,
  lastSeenMs: 60_000,
};
const ONLINE: Presence = { ...SHARED, isOnline: true };

function watched(more: { hashes?: string[]; own?: Presence; before?: ToldPresence } = {}) {
  const clock = new ManualClock();
  const told: ToldPresence[] = [];
  const own = { ...SHARED, ...more.own };
  const watch = new WatchedPresence(
    { clock, own, tell: (_accountId, presence) => told.push(presence) },
    { accountId: "alice", tokenHashes: more.hashes ?? ["right"] },
    more.before,
  );
  return { clock, told, own, watch };
}

const SEEN_ONLINE = { isOnline: true, lastSeenMs: 0 };
const LEFT = { isOnline: false, lastSeenMs: 60_000 };
const NOTHING = { isOnline: false, lastSeenMs: 0 };

test("tells what there is at once, and nothing where there is nothing", () => {
  for (const [presence, expected] of [
    [ONLINE, [SEEN_ONLINE]],
    [SHARED, [LEFT]],
    [{ ...SHARED, sharesLastSeen: false }, []],
    [NO_PRESENCE, []],
  ] as const) {
    const { watch, told } = watched();
    watch.changed(presence);
    expect(told).toEqual(expected);
  }
});

test("a wrong token, and a watcher who hides, hear nothing of anything", async () => {
  for (const more of [{ hashes: ["wrong"] }, { own: NO_PRESENCE }]) {
    const { watch, told, clock } = watched(more);
    for (const presence of [ONLINE, SHARED, NO_PRESENCE]) {
      watch.changed(presence);
      await clock.pass(5_000);
    }
    expect(told).toEqual([]);
  }
});

test("either token of two may be the right one", () => {
  const { watch, told } = watched({ hashes: ["another", "right"] });
  watch.changed(ONLINE);
  expect(told).toEqual([SEEN_ONLINE]);
});

test("when somebody was last there is told to those who share it themselves", () => {
  const { watch, told } = watched({ own: { ...SHARED, sharesLastSeen: false } });
  watch.changed(SHARED);
  expect(told).toEqual([]);
  watch.changed(ONLINE);
  expect(told).toEqual([SEEN_ONLINE]);
});

test("many changes are told once a second, the last of them surely", async () => {
  const { watch, told, clock } = watched();
  watch.changed(ONLINE);
  for (let i = 0; i < 50; i++) {
    watch.changed(i % 2 === 0 ? SHARED : ONLINE);
    await clock.pass(10);
  }
  watch.changed(SHARED);
  expect(told).toEqual([SEEN_ONLINE]);
  await clock.pass(1_000);
  expect(told).toEqual([SEEN_ONLINE, LEFT]);
  // Back to where it was within the second: there is nothing to tell.
  watch.changed(ONLINE);
  watch.changed(SHARED);
  await clock.pass(5_000);
  expect(told).toEqual([SEEN_ONLINE, LEFT]);
});

test("who loses the right to see is told what an account that leaves would tell", () => {
  const { watch, told, clock } = watched();
  watch.changed(ONLINE);
  return clock.pass(1_000).then(() => {
    watch.changed({ ...ONLINE, tokenHash: "new" });
    expect(told).toEqual([SEEN_ONLINE, NOTHING]);
  });
});

test("a watch that replaces another tells again, and takes back what holds no more", () => {
  const anew = watched({ before: SEEN_ONLINE });
  anew.watch.changed(ONLINE);
  expect(anew.told).toEqual([SEEN_ONLINE]);
  const wrong = watched({ before: SEEN_ONLINE, hashes: ["wrong"] });
  wrong.watch.changed(ONLINE);
  expect(wrong.told).toEqual([NOTHING]);
});

test("tells nothing once it is stopped", async () => {
  const { watch, told, clock } = watched();
  watch.changed(ONLINE);
  watch.changed(SHARED);
  watch.stop();
  await clock.pass(5_000);
  expect(told).toEqual([SEEN_ONLINE]);
});
