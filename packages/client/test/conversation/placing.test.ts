import fc from "fast-check";
import { expect, test } from "vitest";
import type { DeviceAddress } from "../../src/sessions/device-address.ts";
import { alice, bob, carol, Reader, type Written, write } from "./fixtures.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const authors = [alice, bob, carol];

/** Who writes, how much of what the others wrote he has seen, and what he claims. */
const step = fc.record({
  author: fc.nat({ max: 2 }),
  sees: fc.option(fc.nat({ max: 30 }), { nil: undefined }),
  lamport: fc.integer({ min: 1, max: 4_294_967_295 }),
});

function writeAll(
  steps: readonly { author: number; sees?: number | undefined; lamport: number }[],
) {
  const all: Written[] = [];
  const chains = new Map<DeviceAddress, Written[]>(authors.map((author) => [author, []]));
  for (const { author, sees, lamport } of steps) {
    const device = authors[author] as DeviceAddress;
    const chain = chains.get(device) as Written[];
    const others = all.filter((entry) => entry.author !== device);
    const seen = sees === undefined ? undefined : others[sees % Math.max(1, others.length)];
    const entry = write(device, chain, { lamport, ...(seen && { seen }) });
    chain.push(entry);
    all.push(entry);
  }
  return all;
}

/** The places by the sentence of delivery.md 2, with everything at hand. */
function expected(all: readonly Written[]): string[] {
  const places = new Map<Written, number>();
  for (const entry of all) {
    const previous = all.find(
      (other) => other.chain === entry.chain && other.counter === entry.counter - 1,
    );
    const of = (other: Written | undefined) => (other ? (places.get(other) as number) : 0);
    places.set(entry, 1 + Math.max(of(previous), of(entry.seen)));
  }
  return [...places]
    .sort(
      ([a, p], [b, q]) =>
        p - q || (a.chain < b.chain ? -1 : a.chain > b.chain ? 1 : a.counter - b.counter),
    )
    .map(([entry, place]) => `${entry.name}@${place}`);
}

const shuffled = fc.array(step, { maxLength: 14 }).chain((steps) =>
  fc.record({
    steps: fc.constant(steps),
    order: fc.shuffledSubarray([...steps.keys()], { minLength: steps.length }),
    days: fc.array(fc.boolean(), { minLength: steps.length, maxLength: steps.length }),
  }),
);

test("shows the same order whatever order the entries arrive in", () =>
  fc.assert(
    fc.asyncProperty(shuffled, async ({ steps, order }) => {
      const all = writeAll(steps);
      const reader = new Reader();
      for (const index of order) await reader.receive(all[index] as Written);
      expect(await reader.screen()).toEqual(expected(all));
    }),
  ));

test("comes to the same order where entries counted for days without what they hang on", () =>
  fc.assert(
    fc.asyncProperty(shuffled, async ({ steps, order, days }) => {
      const all = writeAll(steps);
      const reader = new Reader();
      for (const [at, index] of order.entries()) {
        await reader.receive(all[index] as Written);
        if (days[at]) {
          reader.nowMs += DAY_MS;
          await reader.expire();
        }
      }
      expect(await reader.screen()).toEqual(expected(all));
    }),
  ));

test("moves what hangs on an entry that has overtaken it", async () => {
  const reader = new Reader();
  // a, b and c are chains; carol's last one comes to stand below the one before it for a moment.
  const b1 = write(bob, []);
  const c1 = write(carol, [], { seen: b1 });
  const c2 = write(carol, [c1], { seen: b1 });
  const a1 = write(alice, []);
  const a2 = write(alice, [a1], { seen: c1 });
  const a3 = write(alice, [a1, a2], { seen: c2 });
  const c3 = write(carol, [c1, c2]);
  const a4 = write(alice, [a1, a2, a3], { seen: c1 });
  const c4 = write(carol, [c1, c2, c3], { seen: a4 });
  const c5 = write(carol, [c1, c2, c3, c4], { seen: a2 });
  for (const entry of [c4, c2, a1, a2]) await reader.receive(entry);
  reader.nowMs += DAY_MS;
  await reader.expire();
  for (const entry of [c3, a3, c1, a4, c5, b1]) await reader.receive(entry);
  expect(await reader.screen()).toEqual(expected([b1, c1, c2, a1, a2, a3, c3, a4, c4, c5]));
});

test("never believes a written Lamport", async () => {
  const reader = new Reader();
  const first = write(alice, []);
  await reader.receive(first);
  await reader.receive(write(bob, [], { lamport: 4_000_000_000, seen: first }));
  expect(await reader.screen()).toEqual(["aa1@1", "bb1@2"]);
});

test("gives an entry no place while what it names is missing, and after 24 hours one without it", async () => {
  const reader = new Reader();
  const missing = write(bob, []);
  const first = write(alice, []);
  await reader.receive(first);
  await reader.receive(write(alice, [first], { seen: missing, lamport: 900 }));
  expect(await reader.screen()).toEqual(["aa1@1"]);
  reader.nowMs += DAY_MS - 1;
  await reader.expire();
  expect(await reader.screen()).toEqual(["aa1@1"]);
  reader.nowMs += 1;
  await reader.expire();
  expect(await reader.screen()).toEqual(["aa1@1", "aa2@2"]);
});

test("believes no name of an entry whose hash is another one", async () => {
  const reader = new Reader();
  const chain: Written[] = [];
  for (let i = 0; i < 5; i++) chain.push(write(bob, chain));
  for (const entry of chain) await reader.receive(entry);
  const forged = { ...(chain[4] as Written), hash: new Uint8Array(16) };
  await reader.receive(write(alice, [], { seen: forged }));
  expect((await reader.screen())[0]).toBe("aa1@1");
});

test("lets entries behind a gap wait for it, and stand behind it when it closes", async () => {
  const reader = new Reader();
  const chain: Written[] = [];
  for (let i = 0; i < 4; i++) chain.push(write(alice, chain));
  const [one, two, three, four] = chain as [Written, Written, Written, Written];
  await reader.receive(one);
  await reader.receive(four);
  expect(await reader.screen()).toEqual(["aa1@1"]);
  reader.nowMs += DAY_MS;
  await reader.expire();
  expect(await reader.screen()).toEqual(["aa1@1", "aa4@2"]);
  await reader.receive(three);
  reader.nowMs += DAY_MS;
  await reader.expire();
  expect(await reader.screen()).toEqual(["aa1@1", "aa3@2", "aa4@3"]);
  await reader.receive(two);
  expect(await reader.screen()).toEqual(["aa1@1", "aa2@2", "aa3@3", "aa4@4"]);
});
