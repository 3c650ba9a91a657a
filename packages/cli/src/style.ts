import { styleText } from "node:util";
import type { MessageStatus } from "@parley/client";

/** Colours and other manners of a terminal; NO_COLOR (no-color.org) turns them off. */
export interface Style {
  dim(text: string): string;
  bold(text: string): string;
  warn(text: string): string;
  tick(status: MessageStatus): string;
}

export function styleFor(stream: { readonly isTTY?: boolean }): Style {
  const { NO_COLOR, TERM } = process.env;
  const colours = stream.isTTY === true && !NO_COLOR && TERM !== "dumb";
  return colours ? COLOURED : PLAIN;
}

export const PLAIN: Style = {
  dim: (text) => text,
  bold: (text) => text,
  warn: (text) => text,
  // Without blue, a word tells read from delivered.
  tick: (status) => (status === "read" ? "✓✓ read" : SIGN[status]),
};

const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
  styleText(format, text, { validateStream: false });
const blue = paint(["blueBright", "bold"]);

export const COLOURED: Style = {
  dim: paint("dim"),
  bold: paint("bold"),
  warn: paint("yellow"),
  tick: (status) => (status === "read" ? blue(SIGN.read) : SIGN[status]),
};

const SIGN: Record<MessageStatus, string> = {
  queued: "◷",
  sent: "✓",
  delivered: "✓✓",
  read: "✓✓",
  failed: "✗",
};
