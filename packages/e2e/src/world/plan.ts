import type { FlowWindow, OneTimeStock } from "@parley/client";
import type { NetworkFaults } from "../simulation/network.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";

export type Fault =
  | "server killed"
  | "server killed in a port call"
  | "server stopped"
  | "server restored from a copy"
  | "disk full"
  | "client killed"
  | "client killed in a commit"
  | "client's commit fails"
  | "client away"
  | "client unreachable"
  | "connections cut"
  | "clock jumps"
  | "prekeys run out"
  | "log disk full"
  | "log write fails"
  | "log damaged"
  | "store damaged"
  | "client reads nothing"
  | "flood";

const WEIGHTS: Readonly<Record<Fault, number>> = {
  "server killed": 2,
  "server killed in a port call": 4,
  "server stopped": 1,
  "server restored from a copy": 2,
  "disk full": 1,
  "client killed": 2,
  "client killed in a commit": 4,
  "client's commit fails": 1,
  "client away": 2,
  "client unreachable": 2,
  "connections cut": 3,
  "clock jumps": 1,
  "prekeys run out": 3,
  "log disk full": 1,
  "log write fails": 1,
  "log damaged": 1,
  "store damaged": 1,
  "client reads nothing": 2,
  flood: 2,
};

/** What one world is like. */
export interface Plan {
  readonly people: readonly string[];
  /** Who of them writes; the others read only. */
  readonly writers: readonly string[];
  /** A start without faults: some worlds have sign-ups under faults, some have people who know each other. */
  readonly preludeMs: number;
  /** After the heal everybody writes once more; without it, nothing but what was promised goes on. */
  readonly lastWord: boolean;
  /** How long faults and new messages go on. */
  readonly safetyMs: number;
  /** Mean time between two things that a person does. */
  readonly actEveryMs: number;
  /** Mean time between two faults. */
  readonly faultEveryMs: number;
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
  readonly network: NetworkFaults;
  readonly wakeupsLost: number;
  /** A call of a server's port takes up to so long; 0: it answers at once. */
  readonly portDelayMsMax: number;
  readonly commitDelayMsMax: number;
  /** A write to the mail log takes up to so long; 0: it is durable at once. */
  readonly diskDelayMsMax: number;
  /** What is under way to a device at once; undefined: the usual, which no world fills. */
  readonly window: FlowWindow | undefined;
  /** For whoever takes nothing; above the window, as in the settings. Undefined: the usual. */
  readonly bufferedBytesMax: number | undefined;
  /** Undefined: as many one-time prekeys as a device usually keeps. */
  readonly oneTimeStock: OneTimeStock | undefined;
}

/** A hundred key pairs for each device would be a third of a world's CPU time. */
const SMALL_STOCK: OneTimeStock = { full: 12, least: 4 };

/** The narrowest that the schema lets a device ask for in bytes. */
const NARROW: FlowWindow = { envelopes: 8, bytes: 128 * 1024 };

/** Room for what is no mail, so that whoever only takes nothing for a while is not dropped. */
const LIVE_BYTES = 4 * 1024;

const NAMES = ["alice", "bob", "carol", "dave"];

/**
 * Swarm testing (Groce et al., 2012): each world leaves about half of the faults out, and takes its own
 * intensity of the others, so that faults which mask each other are also met alone.
 */
export function planOf(random: SeededRandom): Plan {
  const faults: Partial<Record<Fault, number>> = {};
  for (const [fault, weight] of Object.entries(WEIGHTS) as [Fault, number][])
    if (random.chance(0.5)) faults[fault] = weight * random.between(0.5, 2);
  const people = NAMES.slice(
    0,
    random.weighted({ two: 6, three: 3, four: 1 }) === "two" ? 2 : random.integer(3, 4),
  );
  const isNarrow = random.chance(0.5);
  return {
    people,
    writers: people,
    preludeMs: random.pick([0, 15_000]),
    lastWord: random.chance(0.5),
    safetyMs: random.integer(60, 180) * 1000,
    actEveryMs: random.pick([1000, 3000, 8000]),
    faultEveryMs: random.pick([4000, 10_000, 25_000]),
    faults,
    network: {
      delayMsMax: random.pick([5, 200, 2000, 10_000]),
      cutPerFrame: random.pick([0, 0.002, 0.02]),
      refusedConnects: random.pick([0, 0.2]),
      halfOpen: random.pick([0, 0.5]),
    },
    wakeupsLost: random.chance(0.2) ? 0 : 0.2,
    portDelayMsMax: random.pick([0, 2, 200]),
    commitDelayMsMax: random.pick([0, 5, 100]),
    diskDelayMsMax: random.pick([0, 2, 50, 1000]),
    ...(isNarrow
      ? { window: NARROW, bufferedBytesMax: NARROW.bytes + LIVE_BYTES }
      : { window: undefined, bufferedBytesMax: undefined }),
    oneTimeStock: random.chance(0.1) ? undefined : SMALL_STOCK,
  };
}
