import {
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { field as fieldRules } from "../../packages/protocol/src/gen/parley/rules/v1/rules_pb.ts";
import { meaningOf } from "./meaning.ts";

/** A row of a message's table: number, name, type, limits, meaning. */
export function fieldRow(field: DescField): string[] {
  const oneof = field.oneof === undefined ? "" : ` (one of \`${field.oneof.name}\`)`;
  const name = `\`${field.name}\`${oneof}`;
  return [String(field.number), name, typeOf(field), limitsOf(field), meaningOf(field)];
}

function typeOf(field: DescField): string {
  const named = field.message ?? field.enum;
  const name =
    named === undefined ? ScalarType[field.scalar as ScalarType].toLowerCase() : linkTo(named);
  return field.fieldKind === "list" ? `list of ${name}` : name;
}

function linkTo({ parent, name }: DescMessage | DescEnum): string {
  return `[${name}](#${`${parent?.name ?? ""}${name}`.toLowerCase()})`;
}

function limitsOf(field: DescField): string {
  if (!hasOption(field, fieldRules)) return "";
  const rules = getOption(field, fieldRules);
  const said: (string | undefined)[] = [
    rules.length === undefined ? undefined : `${rules.length} bytes`,
    range("bytes", rules.minBytes, rules.maxBytes),
    range("items", rules.minItems, rules.maxItems),
    range("", rules.min, rules.max),
    rules.required === true ? "required" : undefined,
    rules.serverOnly === true ? "server only" : undefined,
  ];
  return said.filter((part) => part !== undefined).join(", ");
}

function range(
  unit: string,
  least: number | bigint | undefined,
  most: number | bigint | undefined,
): string | undefined {
  if (least === undefined && most === undefined) return undefined;
  const span =
    least === undefined ? `≤ ${most}` : most === undefined ? `≥ ${least}` : `${least}–${most}`;
  return `${span} ${unit}`.trim();
}
