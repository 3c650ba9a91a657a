import { ClientFrameSchema, CloseCode, ErrorCode } from "@parley/protocol";
import type { SendFailure } from "../../ports/metrics.ts";
import { OTHER } from "./tally.ts";

/** Every case of a request, as the schema has it. */
export const REQUEST_KINDS: readonly string[] =
  ClientFrameSchema.oneofs
    .find(({ name }) => name === "request")
    ?.fields.map(({ localName }) => localName) ?? [];

const ERROR_NAMES = names(ErrorCode);
const CLOSE_NAMES = names(CloseCode);

/** `ok`, or the code's name in the schema. A tally says `other` where it has too many. */
export function outcomeLabel(outcome: number | string): string {
  return outcome === 0 ? "ok" : nameIn(ERROR_NAMES, outcome);
}

/** `peer` where the other side, or what lies between, ended the connection. */
export function closeLabel(code: number | string): string {
  return code === 0 ? "peer" : nameIn(CLOSE_NAMES, code);
}

/** Of a send that was not accepted. */
export function failureLabel(reason: SendFailure | string): string {
  return typeof reason === "string" ? snakeCase(reason) : nameIn(ERROR_NAMES, reason);
}

/** `fetchPrekeyBundles` and `unknown-account` in the way of Prometheus. */
export function snakeCase(name: string): string {
  return name.replaceAll("-", "_").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function nameIn(all: ReadonlyMap<number, string>, code: number | string): string {
  return all.get(Number(code)) ?? OTHER;
}

function names(codes: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(codes).map(([name, code]) => [code, name.toLowerCase()]));
}
