import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type ChainRangeSchema,
  fromHex,
  HoleRequestSchema,
  ProtocolError,
  SignalSchema,
} from "@parley/protocol";
import { ConnectionLostError } from "../connection/connection-lost-error.ts";
import { allContacts, contactState, findContact } from "../contacts.ts";
import { runsOf } from "../conversation/counter-set.ts";
import type { Ledger } from "../conversation/ledger.ts";
import type { HoleRecord } from "../gen/parley/store/v1/conversation_pb.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { onLedger, ownAddress, type Parts } from "../parts.ts";
import type { DeviceAddress } from "../sessions/device-address.ts";
import { COUNTERS_MAX, headsOf } from "./answer-holes.ts";
import { allHoles, countMissing, findHole, putHole } from "./hole-row.ts";
import { askForEverything } from "./note-holes.ts";

/** So long a gap may close by itself, after the mailbox is drained, before the person is told of it. */
const ANNOUNCE_AFTER_MS = 5_000;
/** After drain + 15 s the sending device is asked (delivery.md 2). */
const ASK_AFTER_MS = 15_000;
const BACK_OFF_MS_MIN = 60_000;
const BACK_OFF_MS_MAX = 6 * 60 * 60 * 1000;
/** New sessions a pair for this reason (trust.md 6). */
const SESSIONS_AN_HOUR = 1;
const SESSIONS_A_DAY = 5;
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** Of one request, by the schema. */
const RANGES_MAX = 64;

/**
 * Looks after what is known to be missing: tells the person, and asks the device that sent it. What is due
 * stands in rows; here is only when to look again.
 */
export class Holes {
  readonly #parts: Parts;
  readonly #outbox: Outbox;
  #isDrained = false;
  #mayAsk = false;
  #looking = false;
  #cancel: () => void = () => {};
  #cancelWait: () => void = () => {};

  constructor(parts: Parts, outbox: Outbox) {
    this.#parts = parts;
    this.#outbox = outbox;
  }

  drained(): void {
    this.#isDrained = true;
    this.#cancelWait();
    this.#cancelWait = this.#parts.clock.after(ASK_AFTER_MS, () => {
      this.#mayAsk = true;
    });
    this.look(ANNOUNCE_AFTER_MS);
  }

  disconnected(): void {
    this.#isDrained = false;
    this.#mayAsk = false;
    this.#cancel();
    this.#cancelWait();
  }

  /** Rows may have come, or their time. */
  look(afterMs: number): void {
    if (!this.#isDrained || this.#looking) return;
    this.#cancel();
    this.#cancel = this.#parts.clock.after(afterMs, () => {
      this.#lookNow().catch((cause: unknown) => this.#parts.fatal(cause));
    });
  }

  /** Network. Where one cannot be had now, the one that is held serves: every send compares heads. */
  async refreshLists(): Promise<void> {
    const { directory, transactor } = this.#parts.device;
    const contacts = await transactor.transact((tx) => allContacts(tx));
    for (const [account, contact] of contacts) {
      if (contactState(contact) !== "accepted") continue;
      try {
        const { kind } = await directory.refresh(account);
        if (kind === "false-list") this.#outbox.hold(account);
      } catch (cause) {
        if (!(cause instanceof ProtocolError)) throw cause;
      }
    }
  }

  /** A mailbox that was skipped, a device that was rolled back: every contact is asked (delivery.md 3). */
  async askEverybody(ledger: Ledger): Promise<void> {
    for (const [account, contact] of await allContacts(ledger.tx)) {
      if (contactState(contact) !== "accepted") continue;
      const devices = await this.#parts.device.directory.addresses(ledger.tx, account);
      for (const of of devices) await askForEverything(ledger, of, this.#parts.clock.now());
    }
  }

  async #lookNow(): Promise<void> {
    this.#looking = true;
    let isLeft = false;
    try {
      const rows = await this.#parts.device.transactor.transact((tx) => allHoles(tx));
      isLeft = rows.length > 0;
      for (const { of } of rows) await this.#lookAt(of);
    } finally {
      this.#looking = false;
    }
    if (isLeft) this.look(ANNOUNCE_AFTER_MS);
  }

  async #lookAt(of: DeviceAddress): Promise<void> {
    if (!this.#isDrained) return;
    const needsSession = await onLedger(this.#parts, async (ledger) => {
      const record = await this.#announce(ledger, of);
      return record?.freshSession === true && mayRenew(record, this.#now());
    });
    if (!this.#mayAsk) return;
    if (needsSession && !(await this.#renew(of))) return;
    await onLedger(this.#parts, (ledger) => this.#ask(ledger, of));
  }

  async #announce(ledger: Ledger, of: DeviceAddress): Promise<HoleRecord | undefined> {
    const record = await findHole(ledger.tx, of);
    if (record === undefined || !isOlderThan(record, ANNOUNCE_AFTER_MS, this.#now()))
      return undefined;
    const conversation = of.accountId;
    // A stranger's broken envelopes are nobody's business until he is let in.
    const contact = await findContact(ledger.tx, conversation);
    if (contact === undefined || contactState(contact) !== "accepted") return record;
    const count = (await countMissing(ledger, conversation)) + record.undecryptable;
    if (count <= record.announced) return record;
    const added = count - record.announced;
    const announced = { ...record, announced: count };
    putHole(ledger.tx, of, announced);
    const event = { type: "hole", conversation, from: conversation, count: added } as const;
    ledger.tx.afterCommit(() => this.#parts.emit(event));
    return announced;
  }

  /** Network. A new session, inside which the request goes. False: later again. */
  async #renew(of: DeviceAddress): Promise<boolean> {
    try {
      if (!(await this.#parts.device.sessions.renew(of))) return false;
    } catch (cause) {
      if (cause instanceof ConnectionLostError || cause instanceof ProtocolError) return false;
      throw cause;
    }
    const nowMs = this.#now();
    await this.#parts.device.transactor.transact(async (tx) => {
      const record = await findHole(tx, of);
      if (record === undefined) return;
      const recent = record.sessionsAtMs.filter((atMs) => nowMs - Number(atMs) < DAY_MS);
      putHole(tx, of, {
        ...record,
        freshSession: false,
        sessionsAtMs: [...recent, BigInt(nowMs)],
      });
    });
    return true;
  }

  async #ask(ledger: Ledger, of: DeviceAddress): Promise<void> {
    const nowMs = this.#now();
    const record = await findHole(ledger.tx, of);
    if (record === undefined || !isTime(record, nowMs)) return;
    if (!isOlderThan(record, ASK_AFTER_MS, nowMs) && !record.askWhole) return;
    const contact = await findContact(ledger.tx, of.accountId);
    if (contact === undefined || contactState(contact) !== "accepted") return;
    const isWhole = record.undecryptable > 0 || record.askWhole;
    const ranges = isWhole ? [] : await rangesOf(ledger, of.accountId);
    if (!isWhole && ranges.length === 0) return;
    const number = 1 + (readUint32(this.#parts.random(4)) >>> 1);
    const request = create(HoleRequestSchema, {
      number,
      ranges,
      heads: await headsOf(ledger, of.accountId, ownAddress(this.#parts)),
    });
    const signal = create(SignalSchema, { kind: { case: "holeRequest", value: request } });
    await this.#outbox.put(ledger, {
      recipientAccount: fromHex(of.accountId),
      content: { case: "signal", value: toBinary(SignalSchema, signal) },
      onlyDevice: of.deviceId,
    });
    const backOffMs = Math.min(Math.max(BACK_OFF_MS_MIN, 2 * record.backOffMs), BACK_OFF_MS_MAX);
    putHole(ledger.tx, of, {
      ...record,
      request: number,
      askAtMs: BigInt(nowMs + backOffMs),
      backOffMs,
    });
  }

  #now(): number {
    return this.#parts.clock.now();
  }
}

/** Of a time that lies ahead nothing is known: the clock was put back. */
function isOlderThan({ sinceMs }: HoleRecord, ageMs: number, nowMs: number): boolean {
  const age = nowMs - Number(sinceMs);
  return age < 0 || age >= ageMs;
}

function isTime({ askAtMs, backOffMs }: HoleRecord, nowMs: number): boolean {
  const wait = Number(askAtMs) - nowMs;
  return wait <= 0 || wait > backOffMs;
}

function mayRenew({ sessionsAtMs }: HoleRecord, nowMs: number): boolean {
  const within = (ms: number) => sessionsAtMs.filter((atMs) => nowMs - Number(atMs) < ms).length;
  return within(HOUR_MS) < SESSIONS_AN_HOUR && within(DAY_MS) < SESSIONS_A_DAY;
}

async function rangesOf(
  ledger: Ledger,
  conversation: string,
): Promise<MessageInitShape<typeof ChainRangeSchema>[]> {
  const ranges: MessageInitShape<typeof ChainRangeSchema>[] = [];
  let left = COUNTERS_MAX;
  for (const [id, chain] of await ledger.chainsOf(conversation))
    for (const [first, last] of runsOf(chain.missing)) {
      if (left === 0 || ranges.length === RANGES_MAX) return ranges;
      const asked = Math.min(last - first + 1, left);
      ranges.push({ chain: fromHex(id), first, last: first + asked - 1 });
      left -= asked;
    }
  return ranges;
}

function readUint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
