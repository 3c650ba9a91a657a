import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  createFileRegistry,
  type DescFile,
  type DescMessage,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { outputOf, ROOT } from "../run.ts";
import { fieldRow } from "./field-row.ts";
import { meaningOf } from "./meaning.ts";

const INTRODUCTION = new URL("introduction.md", import.meta.url);
const CLOSE_CODES = path.join(ROOT, "packages/protocol/src/close-codes.ts");
const LABELS = path.join(ROOT, "packages/crypto/src/labels.ts");

/** The chapters of the reference, in the order in which a reader meets them. */
const CHAPTERS = [
  ["wire/v1/frame", "Frames"],
  ["wire/v1/session", "Connecting"],
  ["wire/v1/message", "Sending and receiving"],
  ["wire/v1/envelope", "Envelopes"],
  ["wire/v1/account", "Account chains"],
  ["wire/v1/prekeys", "Prekeys"],
  ["wire/v1/directory", "Directory"],
  ["wire/v1/error", "Errors"],
  ["content/v1/content", "Content"],
  ["content/v1/entry", "Entries"],
  ["content/v1/signal", "Signals"],
] as const;

/** docs/PROTOCOL.md: the introduction, and all that the schema and the tables of the code say. */
export function protocolDocs(): string {
  const files = schemaFiles();
  const introduction = fs
    .readFileSync(INTRODUCTION, "utf8")
    .replace("{{close codes}}", closeCodes())
    .replace("{{labels}}", labels());
  const chapters = CHAPTERS.map(([name, title]) => {
    const file = files.get(`parley/${name}`);
    if (file === undefined) throw new Error(`no schema file parley/${name}.proto`);
    return chapter(file, title);
  });
  return `${[introduction.trim(), "# Reference", ...chapters].join("\n\n")}\n`;
}

function schemaFiles(): Map<string, DescFile> {
  const image = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "parley-schema-")), "image.binpb");
  outputOf(
    "buf",
    ["build", "--as-file-descriptor-set", "-o", image],
    path.join(ROOT, "packages/protocol"),
  );
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(image)));
  return new Map([...registry.files].map((file) => [file.name, file]));
}

function chapter(file: DescFile, title: string): string {
  const parts = [`## ${title}`, `\`package ${file.proto.package}\``];
  for (const descriptor of file.enums) {
    const rows = descriptor.values.map(
      (value) => `| ${value.number} | \`${value.name}\` | ${meaningOf(value)} |`,
    );
    parts.push(`### ${descriptor.name}`, meaningOf(descriptor));
    parts.push(["| number | name | meaning |", "|---|---|---|", ...rows].join("\n"));
  }
  for (const message of file.messages) parts.push(...messageParts(message));
  return parts.filter((part) => part !== "").join("\n\n");
}

function messageParts(message: DescMessage): string[] {
  const name =
    message.parent === undefined ? message.name : `${message.parent.name}.${message.name}`;
  const parts = [`### ${name}`, meaningOf(message)];
  if (message.fields.length === 0) parts.push("No fields.");
  else
    parts.push(
      [
        "| # | field | type | limits | meaning |",
        "|---|---|---|---|---|",
        ...message.fields.map(fieldRow),
      ].join("\n"),
    );
  return [...parts, ...message.nestedMessages.flatMap(messageParts)];
}

/** The table in the code, with the comment above each code. */
function closeCodes(): string {
  const source = fs.readFileSync(CLOSE_CODES, "utf8");
  const rows = [...source.matchAll(/\/\*\* ([^*]+) \*\/\s+([A-Z_]+): (\d+),/g)].map(
    ([, meaning, name, code]) => `| ${code} | \`${name}\` | ${meaning} |`,
  );
  if (rows.length === 0) throw new Error(`no close codes found in ${CLOSE_CODES}`);
  return ["| code | name | meaning |", "|---|---|---|", ...rows].join("\n");
}

function labels(): string {
  const source = fs.readFileSync(LABELS, "utf8");
  const found = [...source.matchAll(/"(Parley [^"]+)"/g)].map(([, label]) => `- \`${label}\``);
  if (found.length === 0) throw new Error(`no labels found in ${LABELS}`);
  return found.join("\n");
}
