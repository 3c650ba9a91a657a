import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { seededRandom } from "../../../packages/crypto/test/fixtures/random.ts";
import { Pair } from "./pair.ts";

const MESSAGES_MIN = 2000;
const EPOCHS_MIN = 20;
const LOST = 0.2;
/** A burst of one side has at most this many, and it arrives shuffled. */
const BURST_MAX = 6;
/** In turns: both keep five receiving chains, so nothing may come later than this. */
const LATE_TURNS_MAX = 3;

interface Mail {
  readonly text: string;
  readonly ciphertext: Uint8Array;
  readonly dueTurn: number;
}

test("2,000 messages over 20 epochs, a fifth lost, the rest in disorder: each that comes is read", async (t) => {
  const seed = process.env["INTEROP_SEED"] ?? randomBytes(8).toString("hex");
  t.diagnostic(`INTEROP_SEED=${seed}`);
  const random = seededRandom(seed);
  const below = (count: number) =>
    ((random(2)[0] as number) * 256 + (random(2)[1] as number)) % count;
  const pair = await Pair.settled({ random: seededRandom(`${seed} ours`) });
  const mail: { ours: Mail[]; theirs: Mail[] } = { ours: [], theirs: [] };
  const count = { sent: 0, lost: 0, read: 0, late: 0 };
  for (let turn = 0; count.sent < MESSAGES_MIN || pair.ours.epoch() <= EPOCHS_MIN; turn++) {
    assert.ok(turn < 4 * MESSAGES_MIN, "the epochs do not move");
    const who = turn % 2 === 0 ? "ours" : "theirs";
    for (let n = 1 + below(BURST_MAX); n > 0; n--) {
      const text = `${who} ${count.sent++}`;
      const ciphertext = who === "ours" ? pair.say(text) : await pair.peerSays(text);
      const late = below(4) === 0 ? below(LATE_TURNS_MAX + 1) : 0;
      if (late > 0) count.late += 1;
      if (below(1000) < LOST * 1000) count.lost += 1;
      else mail[who].push({ text, ciphertext, dueTurn: turn + 2 * late });
    }
    const due = mail[who].filter(({ dueTurn }) => dueTurn <= turn);
    mail[who] = mail[who].filter(({ dueTurn }) => dueTurn > turn);
    while (due.length > 0) {
      const [{ text, ciphertext }] = due.splice(below(due.length), 1) as [Mail];
      const heard = who === "ours" ? await pair.peerHears(ciphertext) : pair.hear(ciphertext);
      assert.equal(heard, text);
      count.read += 1;
    }
  }
  t.diagnostic(`${JSON.stringify(count)}, epoch ${pair.ours.epoch()}`);
  assert.ok(count.lost > 0.15 * count.sent && count.late > 0.1 * count.sent);
});
