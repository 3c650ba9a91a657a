import { CloseCode } from "@parley/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BlockPool } from "../../src/gateway/block-pool.ts";
import { FRAGMENTS_MAX, FrameReader, type Incoming } from "../../src/gateway/frame-reader.ts";
import {
  BETWEEN,
  BINARY,
  CLOSE,
  closing,
  FIRST,
  type FrameParts,
  frame,
  LAST,
  PING,
  PONG,
} from "../fixtures/client-frames.ts";

const BYTES_MAX = 100_000;
const bytes = (length: number) => new Uint8Array(length).map((_, i) => (i * 7) & 0xff);

/** All that comes of these chunks. */
function readAll(
  chunks: readonly Uint8Array[],
  reader = new FrameReader(new BlockPool()),
): Incoming[] {
  const all: Incoming[] = [];
  for (const chunk of chunks) {
    reader.push(Uint8Array.from(chunk)); // It is unmasked in place.
    for (;;) {
      const incoming = reader.next(BYTES_MAX);
      if (incoming === undefined) break;
      all.push(
        incoming.kind === "message"
          ? { kind: "message", bytes: Uint8Array.from(incoming.bytes) }
          : incoming,
      );
    }
  }
  return all;
}

const message = (payload: Uint8Array): Incoming => ({ kind: "message", bytes: payload });

test.each([0, 1, 3, 4, 5, 125, 126, 127, 65_535, 65_536, BYTES_MAX])(
  "reads a message of %i bytes",
  (length) => {
    const payload = bytes(length);
    expect(readAll([frame({ first: BINARY, payload })])).toEqual([message(payload)]);
  },
);

test("puts fragments together, with control frames between them", () => {
  const parts = [bytes(3), bytes(0), bytes(200), bytes(5)] as const;
  const sent = [
    frame({ first: FIRST, payload: parts[0] }),
    frame({ first: PING, payload: Uint8Array.of(1, 2) }),
    frame({ first: BETWEEN, payload: parts[1] }),
    frame({ first: BETWEEN, payload: parts[2] }),
    frame({ first: PONG }),
    frame({ first: LAST, payload: parts[3] }),
  ];
  expect(readAll([Buffer.concat(sent)])).toEqual([
    { kind: "ping", payload: Uint8Array.of(1, 2) },
    { kind: "pong" },
    message(Uint8Array.from(Buffer.concat(parts))),
  ]);
});

const sentMessages = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((payload) => ({
      frames: [{ first: BINARY, payload }] as FrameParts[],
      incoming: message(payload),
    })),
    fc.array(fc.uint8Array({ maxLength: 150 }), { minLength: 2, maxLength: 5 }).map((parts) => ({
      frames: parts.map((payload, i): FrameParts => {
        const isLast = i === parts.length - 1;
        return { first: i === 0 ? FIRST : isLast ? LAST : BETWEEN, payload };
      }),
      incoming: message(Uint8Array.from(Buffer.concat(parts))),
    })),
    fc.uint8Array({ maxLength: 125 }).map((payload) => ({
      frames: [{ first: PING, payload }] as FrameParts[],
      incoming: { kind: "ping", payload } as Incoming,
    })),
  ),
  { maxLength: 6 },
);

test("reads the same, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(sentMessages, fc.array(fc.integer({ min: 1, max: 400 })), (sent, sizes) => {
      const all = Buffer.concat(sent.flatMap(({ frames }) => frames.map(frame)));
      const chunks: Uint8Array[] = [];
      let at = 0;
      for (const size of sizes) {
        chunks.push(all.subarray(at, at + size));
        at += size;
      }
      chunks.push(all.subarray(at));
      expect(readAll(chunks)).toEqual(sent.map(({ incoming }) => incoming));
    }),
  );
});

test("reads the same where it is cut at every byte", () => {
  const [long, short] = [bytes(65_540), bytes(126)];
  const all = Buffer.concat([
    frame({ first: FIRST, payload: short }),
    frame({ first: PING, payload: short.subarray(0, 3) }),
    frame({ first: LAST, payload: long }),
    frame({ first: CLOSE, payload: closing(1000, "bye") }),
  ]);
  const chunks = Array.from({ length: all.length }, (_, i) => all.subarray(i, i + 1));
  expect(readAll(chunks)).toEqual([
    { kind: "ping", payload: short.subarray(0, 3) },
    message(Uint8Array.from(Buffer.concat([short, long]))),
    { kind: "close", code: 1000 },
  ]);
});

const refused: readonly [string, number, readonly Uint8Array[]][] = [
  ["a frame without a mask", 1002, [frame({ first: BINARY, mask: undefined })]],
  ...[0x40, 0x20, 0x10].map((bit): [string, number, Uint8Array[]] => [
    `reserved bit ${bit}`,
    1002,
    [frame({ first: BINARY | bit })],
  ]),
  ...[3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf].map((opcode): [string, number, Uint8Array[]] => [
    `opcode ${opcode}`,
    1002,
    [frame({ first: 0x80 | opcode })],
  ]),
  ["text", CloseCode.MALFORMED_FRAME, [frame({ first: 0x81 })]],
  ["the first fragment of a text", CloseCode.MALFORMED_FRAME, [frame({ first: 0x01 })]],
  ["a continuation of nothing", 1002, [frame({ first: BETWEEN })]],
  ["a last fragment of nothing", 1002, [frame({ first: LAST })]],
  ["a message within a message", 1002, [frame({ first: FIRST }), frame({ first: BINARY })]],
  ["a ping in fragments", 1002, [frame({ first: 0x09 })]],
  ["a close in fragments", 1002, [frame({ first: 0x08 })]],
  ["a ping that is too long", 1002, [frame({ first: PING, payload: bytes(126) })]],
  ["a close that is too long", 1002, [frame({ first: CLOSE, payload: bytes(126) })]],
  ["half a close code", 1002, [frame({ first: CLOSE, payload: bytes(1) })]],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map(
    (code): [string, number, Uint8Array[]] => [
      `close code ${code}`,
      1002,
      [frame({ first: CLOSE, payload: closing(code) })],
    ],
  ),
  [
    "a reason that is not UTF-8",
    1007,
    [frame({ first: CLOSE, payload: closing(1000, Uint8Array.of(0xc3, 0x28)) })],
  ],
  [
    "a length in two bytes that fits in one",
    1002,
    [frame({ first: BINARY, payload: bytes(125), lengthForm: "16" })],
  ],
  [
    "a length in eight bytes that fits in two",
    1002,
    [frame({ first: BINARY, payload: bytes(65_535), lengthForm: "64" })],
  ],
  ["a length below zero", 1002, [Uint8Array.of(BINARY, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0)]],
];

test.each(refused)("refuses %s", (_, closeCode, chunks) => {
  expect(() => readAll(chunks)).toThrow(expect.objectContaining({ closeCode }));
});

test("refuses a message that is too long at its header, before anything of it came", () => {
  const header = (length: number) => frame({ first: BINARY, length, lengthForm: "64" });
  expect(() => readAll([header(BYTES_MAX + 1).subarray(0, 10)])).toThrow(
    expect.objectContaining({ closeCode: 1009 }),
  );
  expect(() => readAll([header(2 ** 40).subarray(0, 10)])).toThrow(
    expect.objectContaining({ closeCode: 1009 }),
  );
  expect(readAll([header(BYTES_MAX)])).toEqual([]);
});

test("refuses fragments that are too long together", () => {
  const half = bytes(BYTES_MAX / 2);
  const first = frame({ first: FIRST, payload: half });
  const second = frame({ first: BETWEEN, payload: half });
  expect(readAll([first, second])).toEqual([]);
  expect(() => readAll([first, second, frame({ first: LAST, payload: bytes(1) })])).toThrow(
    expect.objectContaining({ closeCode: 1009 }),
  );
});

test("takes so many fragments, and no more", () => {
  const between = Array.from({ length: FRAGMENTS_MAX - 2 }, () => frame({ first: BETWEEN }));
  const [first, last] = [frame({ first: FIRST }), frame({ first: LAST })];
  expect(readAll([first, ...between, last])).toEqual([message(new Uint8Array(0))]);
  expect(() => readAll([first, ...between, frame({ first: BETWEEN }), last])).toThrow(
    expect.objectContaining({ closeCode: 1009 }),
  );
});

test("holds as much as came, and not what was announced", () => {
  const reader = new FrameReader(new BlockPool());
  const all = frame({ first: BINARY, payload: bytes(BYTES_MAX) });
  readAll([all.subarray(0, 20)], reader);
  expect(reader.heldBytes).toBeLessThan(2_000);
  readAll([all.subarray(20, 40_000)], reader);
  expect(reader.heldBytes).toBeLessThan(80_000);
  expect(readAll([all.subarray(40_000)], reader)).toEqual([message(bytes(BYTES_MAX))]);
  expect(reader.heldBytes).toBe(0);
});

test("keeps nothing of a chunk that it has read, but the beginning of a header", () => {
  const reader = new FrameReader(new BlockPool());
  const whole = frame({ first: BINARY, payload: bytes(60_000) });
  readAll([Buffer.concat([whole, whole.subarray(0, 3)])], reader);
  expect(reader.heldBytes).toBe(3);
  expect(readAll([whole.subarray(3)], reader)).toHaveLength(1);
  expect(reader.heldBytes).toBe(0);
});
