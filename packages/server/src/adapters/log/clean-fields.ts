import type { LogFields } from "../../ports/log.ts";

/** What `LogFields` allows; the compiler holds the two together. */
const KEYS: Record<keyof LogFields, true> = {
  err: true,
  account: true,
  device: true,
  kind: true,
  code: true,
  limit: true,
  isDryRun: true,
  of: true,
  count: true,
  port: true,
  connections: true,
  position: true,
  file: true,
  mayBeLost: true,
  check: true,
  detail: true,
  ms: true,
};
export const LOG_KEYS: readonly string[] = Object.keys(KEYS);

/** As long as any text of ours, and too short for what somebody else sent. */
const TEXT_CHARACTERS_MAX = 300;
const FRAMES_MAX = 12;
const CAUSES_MAX = 3;

/**
 * The second net: the compiler lets only what tells of no person into a line, and this drops whatever came
 * past it, and takes out of texts what may name somebody. The texts that can surprise us are those of errors
 * that a library made.
 */
export function cleanFields(fields: object): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields))
    if (key in KEYS) clean[key] = cleanValue(key, value);
  return clean;
}

function cleanValue(key: string, value: unknown): unknown {
  if (key === "err") return cleanError(value);
  if (typeof value === "string")
    return key === "account" ? value.slice(0, TEXT_CHARACTERS_MAX) : cleanText(value);
  return typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

function cleanError(cause: unknown, depth = 0): object {
  if (!(cause instanceof Error)) return { type: typeof cause };
  const { name, message, stack = "", code, cause: inner } = cause as NodeJS.ErrnoException;
  return {
    type: name,
    message: cleanText(message),
    ...((typeof code === "string" || typeof code === "number") && { code }),
    // Frames only: the lines above them repeat the message.
    stack: stack.split("\n").filter(isFrame).slice(0, FRAMES_MAX).join("\n"),
    ...(inner !== undefined && depth < CAUSES_MAX && { cause: cleanError(inner, depth + 1) }),
  };
}

const isFrame = (line: string) => /^\s+at /.test(line);

/** Quoted text, which is where a library puts what it was given; long runs as ids and keys are; addresses. */
const UNSURE = [
  /"[^"]*"|'[^']*'|`[^`]*`/g,
  /(?=[\w+/=-]*\d)[\w+/=-]{16,}/g,
  /\b\d{1,3}(?:\.\d{1,3}){3}\b/g,
  /\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}\b/gi,
];

export function cleanText(text: string): string {
  let clean = text.slice(0, TEXT_CHARACTERS_MAX);
  for (const pattern of UNSURE) clean = clean.replace(pattern, "…");
  return clean;
}
