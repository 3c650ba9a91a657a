import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  createFileRegistry,
  type DescEnum,
  type DescFile,
  type DescMessage,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { outputOf, ROOT } from "../run.ts";
import { fieldRow } from "./field-row.ts";
import { meaningOf } from "./meaning.ts";
import { table } from "./table.ts";

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
  ["wire/v1/group", "Group chains"],
  ["wire/v1/fork", "Proofs of forks"],
  ["content/v1/content", "Content"],
  ["content/v1/entry", "Entries"],
  ["content/v1/signal", "Signals"],
  ["crypto/v1/attachment", "Files"],
  ["crypto/v1/backup", "Backups"],
] as const;

/** By name without its suffix, such as `parley/wire/v1/frame`. */
export type SchemaFiles = ReadonlyMap<string, DescFile>;

export function schemaFiles(): SchemaFiles {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "parley-schema-"));
  const image = path.join(folder, "image.binpb");
  outputOf(
    "buf",
    ["build", "--as-file-descriptor-set", "-o", image],
    path.join(ROOT, "packages/protocol"),
  );
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(image)));
  fs.rmSync(folder, { recursive: true });
  return new Map([...registry.files].map((file) => [file.name, file]));
}

export function fileOf(files: SchemaFiles, name: string): DescFile {
  const file = files.get(`parley/${name}`);
  if (file === undefined) throw new Error(`no schema file parley/${name}.proto`);
  return file;
}

/** Every message and enum of the schema. */
export function reference(files: SchemaFiles): string {
  const chapters = CHAPTERS.map(([name, title]) => chapter(fileOf(files, name), title));
  return ["# Reference", ...chapters].join("\n\n");
}

function chapter(file: DescFile, title: string): string {
  const parts = [`## ${title}`, `\`package ${file.proto.package}\``];
  for (const descriptor of file.enums) parts.push(...enumParts(descriptor));
  for (const message of file.messages) parts.push(...messageParts(message));
  return parts.filter((part) => part !== "").join("\n\n");
}

function enumParts(descriptor: DescEnum): string[] {
  const { parent, name, values } = descriptor;
  const rows = values.map((value) => [String(value.number), `\`${value.name}\``, meaningOf(value)]);
  return [
    `### ${parent === undefined ? name : `${parent.name}.${name}`}`,
    meaningOf(descriptor),
    table(["number", "name", "meaning"], rows),
  ];
}

function messageParts(message: DescMessage): string[] {
  const { parent, name, fields } = message;
  return [
    `### ${parent === undefined ? name : `${parent.name}.${name}`}`,
    meaningOf(message),
    fields.length === 0
      ? "No fields."
      : table(["#", "field", "type", "limits", "meaning"], fields.map(fieldRow)),
    ...message.nestedEnums.flatMap(enumParts),
    ...message.nestedMessages.flatMap(messageParts),
  ];
}
