/**
 * GF(2^16) with the reduction polynomial x^16 + x^12 + x^3 + x + 1 (0x1100b): where the erasure code computes
 * (ML-KEM Braid section 2.3). Addition is XOR. Multiplication by logarithms to the base x, which generates
 * the field; what is coded here is public or about to be, so that tables may show what they were asked for.
 */
const REDUCTION = 0x1100b;
/** Of the multiplicative group: logarithms are counted modulo it. */
export const ORDER = 0xffff;

export interface FieldTables {
  /** Of every element but 0, which has none. */
  readonly log: Uint16Array;
  /** Twice over, so that a sum of two logarithms needs no reduction. */
  readonly power: Uint16Array;
}

let tables: FieldTables | undefined;

/** Half a megabyte, made at the first use. */
export function fieldTables(): FieldTables {
  if (tables !== undefined) return tables;
  const log = new Uint16Array(ORDER + 1);
  const power = new Uint16Array(2 * ORDER);
  for (let exponent = 0, value = 1; exponent < ORDER; exponent++) {
    power[exponent] = value;
    power[exponent + ORDER] = value;
    log[value] = exponent;
    value <<= 1;
    if (value > ORDER) value ^= REDUCTION;
  }
  tables = { log, power };
  return tables;
}
