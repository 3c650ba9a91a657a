import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { ProtocolError } from "./errors.ts";
import {
  type FieldRules,
  field as fieldRules,
  oneof as oneofRules,
} from "./gen/parley/rules/v1/rules_pb.ts";
import { ErrorCode } from "./gen/parley/wire/v1/error_pb.ts";

export type Sender = "client" | "server";

/**
 * Holds a decoded message against the limits that stand in the schema as field options. Throws
 * ProtocolError INVALID_REQUEST naming the field. Rules are compiled once for each message type.
 */
export function validate(schema: DescMessage, message: Message, sender: Sender): void {
  for (const check of checksOf(schema)) check(message as unknown as Values, sender);
}

type Values = { readonly [localName: string]: unknown };
type Check = (values: Values, sender: Sender) => void;

const compiled = new Map<DescMessage, Check[]>();

function checksOf(schema: DescMessage): Check[] {
  let checks = compiled.get(schema);
  if (checks === undefined) {
    checks = [];
    compiled.set(schema, checks); // Before compiling, so that a message may hold its own kind.
    for (const field of schema.fields) checks.push(...checksOfField(field));
    for (const { localName, ...oneof } of schema.oneofs) {
      if (
        getOption(oneof as typeof oneof & (typeof schema.oneofs)[number], oneofRules).required !==
        true
      )
        continue;
      checks.push((values) => {
        if ((values[localName] as { case?: string } | undefined)?.case === undefined)
          refuse(schema, localName, "one of its cases must be set");
      });
    }
  }
  return checks;
}

function checksOfField(field: DescField): Check[] {
  const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
  const checkValue = valueCheck(field, rules);
  const { localName, parent } = field;
  if (field.oneof !== undefined) {
    const holder = field.oneof.localName;
    if (checkValue === undefined) return [];
    return [
      (values, sender) => {
        const set = values[holder] as { case?: string; value?: unknown };
        if (set.case === localName) checkValue(set.value, sender);
      },
    ];
  }
  if (field.fieldKind === "list") {
    const { maxItems, minItems = 0 } = rules ?? {};
    if (checkValue === undefined && maxItems === undefined && minItems === 0) return [];
    return [
      (values, sender) => {
        const list = values[localName] as readonly unknown[];
        if (maxItems !== undefined && list.length > maxItems)
          refuse(parent, localName, `more than ${maxItems} items`);
        if (list.length < minItems) refuse(parent, localName, `fewer than ${minItems} items`);
        if (checkValue !== undefined) for (const item of list) checkValue(item, sender);
      },
    ];
  }
  const required = rules?.required === true;
  if (checkValue === undefined && !required) return [];
  return [
    (values, sender) => {
      const value = values[localName];
      if (value !== undefined) checkValue?.(value, sender);
      else if (required) refuse(parent, localName, "missing");
    },
  ];
}

type ValueCheck = (value: unknown, sender: Sender) => void;

function valueCheck(field: DescField, rules: FieldRules | undefined): ValueCheck | undefined {
  const { localName, parent } = field;
  if (field.message !== undefined && field.fieldKind !== "map") {
    const schema = field.message;
    return (value, sender) => validate(schema, value as Message, sender);
  }
  if (rules === undefined) return undefined;
  if (field.scalar === ScalarType.BYTES || field.scalar === ScalarType.STRING)
    return (value, sender) => {
      const size = sizeOf(value as string | Uint8Array, rules.maxBytes);
      if (rules.serverOnly === true && size === 0) return;
      if (rules.serverOnly === true && sender === "client")
        refuse(parent, localName, "only the server writes it");
      const wrong = sizeProblem(size, rules);
      if (wrong !== undefined) refuse(parent, localName, wrong);
    };
  return (value, sender) => {
    const number = BigInt(value as number | bigint);
    if (rules.serverOnly === true && sender === "client" && number !== 0n)
      refuse(parent, localName, "only the server writes it");
    if (rules.min !== undefined && number < rules.min)
      refuse(parent, localName, `below ${rules.min}`);
    if (rules.max !== undefined && number > rules.max)
      refuse(parent, localName, `above ${rules.max}`);
  };
}

/** Of a text that is longer than allowed in any encoding no character is looked at. */
function sizeOf(value: string | Uint8Array, maxBytes: number | undefined): number {
  if (typeof value !== "string" || value.length > (maxBytes ?? Infinity)) return value.length;
  return utf8Length(value);
}

function sizeProblem(
  size: number,
  { length, maxBytes, minBytes = 0 }: FieldRules,
): string | undefined {
  if (length !== undefined && size !== length) return `${size} bytes where it has ${length}`;
  if (maxBytes !== undefined && size > maxBytes) return `more than ${maxBytes} bytes`;
  if (size < minBytes) return `fewer than ${minBytes} bytes`;
  return undefined;
}

/** Without a TextEncoder, which a runtime-neutral package cannot name. A lone surrogate counts as three. */
export function utf8Length(text: string): number {
  let length = 0;
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return length;
}

function refuse(schema: DescMessage, field: string, problem: string): never {
  throw new ProtocolError(ErrorCode.INVALID_REQUEST, `${schema.name}.${field}: ${problem}`);
}
