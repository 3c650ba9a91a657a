import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * Whether a message holds more fields than so many, those of the messages in it included: in the time that so
 * many take, and without making anything of them. What is malformed is for the decoder to refuse.
 */
export function hasMoreFieldsThan(max: number, schema: DescMessage, bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes);
  let count = 0;
  const walk = (within: DescMessage, end: number): void => {
    const holders = holdersOf(within);
    while (reader.pos < end && count <= max) {
      count += 1;
      const [number, wireType] = reader.tag();
      const holder = wireType === WireType.LengthDelimited ? holders.get(number) : undefined;
      if (holder === undefined) reader.skip(wireType, number);
      else if (holder.message !== undefined) {
        const length = reader.uint32();
        walk(holder.message, reader.pos + length);
      } else count += reader.bytes().length; // At most one number a byte.
    }
  };
  try {
    walk(schema, bytes.length);
  } catch {
    return false;
  }
  return count > max;
}

const known = new Map<DescMessage, ReadonlyMap<number, DescField>>();

/** Fields whose bytes may hold much: messages, and numbers one behind the other; by field number. */
function holdersOf(schema: DescMessage): ReadonlyMap<number, DescField> {
  let holders = known.get(schema);
  if (holders === undefined) {
    const found = schema.fields.filter((field) => field.message !== undefined || isPacked(field));
    holders = new Map(found.map((field) => [field.number, field]));
    known.set(schema, holders);
  }
  return holders;
}

function isPacked(field: DescField): boolean {
  return (
    field.fieldKind === "list" &&
    field.scalar !== ScalarType.STRING &&
    field.scalar !== ScalarType.BYTES
  );
}
