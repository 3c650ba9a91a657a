import {
  CLIENT_FRAME_BYTES_MAX,
  CLIENT_FRAME_FIELDS_MAX,
  DEVICE_ID_MAX,
  DEVICES_PER_ACCOUNT_MAX,
  ENVELOPE_LIFETIME_MS,
  LOGIN_FRAME_BYTES_MAX,
  SERVER_FRAME_BYTES_MAX,
  SERVER_FRAME_FIELDS_MAX,
  TEXT_BYTES_MAX,
} from "../../packages/protocol/src/limits.ts";
import { CONFIG_DEFAULT } from "../../packages/server/src/config/config.ts";
import { SCHEMA } from "../../packages/server/src/config/schema.ts";
import { nameOf, type Setting, valueAt } from "../../packages/server/src/config/setting.ts";
import { table } from "./table.ts";

const FIXED: readonly (readonly [what: string, value: number, unit: string])[] = [
  ["a frame up, logged in", CLIENT_FRAME_BYTES_MAX, "bytes"],
  ["a frame up, before login", LOGIN_FRAME_BYTES_MAX, "bytes"],
  ["a frame down", SERVER_FRAME_BYTES_MAX, "bytes"],
  ["a frame up, with all messages in it", CLIENT_FRAME_FIELDS_MAX, "fields"],
  ["a frame down, with all messages in it", SERVER_FRAME_FIELDS_MAX, "fields"],
  ["devices of an account", DEVICES_PER_ACCOUNT_MAX, "devices"],
  ["a device id, from 1", DEVICE_ID_MAX, "number"],
  ["time that an envelope is kept", ENVELOPE_LIFETIME_MS, "ms (90 days)"],
  ["text of a message, in UTF-8", TEXT_BYTES_MAX, "bytes"],
];

/** Settings of these sections that are numbers, and of `server` those that a client may run into. */
const SECTIONS: readonly string[] = ["limits", "mailbox", "presence"];
const SERVER_KEY = /_max$|^(login_timeout|message|reader_stall)_ms$/;

export function fixedLimits(): string {
  const rows = FIXED.map(([what, value, unit]) => [what, numberText(value), unit]);
  return table(["what", "at most", "unit"], rows);
}

export function serverLimits(): string {
  const rows = SCHEMA.filter(isLimit).map((setting) => [
    `\`${nameOf(setting)}\``,
    numberText(valueAt(CONFIG_DEFAULT, setting) as number),
    unitOf(setting.key),
    setting.doc,
  ]);
  return table(["name", "default", "unit", "of what"], rows);
}

function isLimit(setting: Setting): boolean {
  if (typeof valueAt(CONFIG_DEFAULT, setting) !== "number") return false;
  if (setting.section === "server") return SERVER_KEY.test(setting.key);
  return SECTIONS.includes(setting.section);
}

/** Names carry their unit last, and what is counted first. */
const UNITS: readonly (readonly [name: RegExp, unit: string])[] = [
  [/_per_minute$/, "a minute"],
  [/_per_hour$/, "an hour"],
  [/^bytes_|_bytes_/, "bytes"],
  [/_ms(_max)?$/, "ms"],
  [/^(connections|visitors)_/, "connections"],
  [/^requests_/, "requests"],
  [/^envelopes_/, "envelopes"],
  [/^(watches|accounts)_/, "accounts"],
];

function unitOf(key: string): string {
  const unit = UNITS.find(([name]) => name.test(key))?.[1];
  if (unit === undefined) throw new Error(`what unit has the limit ${key}?`);
  return unit;
}

const numberText = (value: number): string => value.toLocaleString("en-US");
