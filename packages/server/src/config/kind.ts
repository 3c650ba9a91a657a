/** What a setting's value may be. TOML has types; a flag and the environment have text, which is read as one of them. */
export interface Kind<T> {
  /** Finishes the sentence "… takes". */
  readonly takes: string;
  /** One word or two, for a table. */
  readonly name: string;
  readonly isList?: true;
  /** Needs no value as a flag: it is then true. */
  readonly isSwitch?: true;
  /** Those that a shell may complete. */
  readonly choices?: readonly string[];
  fromText(text: string): unknown;
  accepts(value: unknown): value is T;
}

export function integer(min: number, max: number): Kind<number> {
  return {
    takes: `a whole number from ${min} to ${max}`,
    name: `integer, ${min} to ${max}`,
    fromText: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
    accepts: (value): value is number =>
      Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  };
}

export function decimal(min: number, max: number): Kind<number> {
  return {
    takes: `a number from ${min} to ${max}`,
    name: `number, ${min} to ${max}`,
    fromText: (text) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text),
    accepts: (value): value is number => typeof value === "number" && value >= min && value <= max,
  };
}

export function truth(): Kind<boolean> {
  return {
    takes: "true or false",
    name: "boolean",
    isSwitch: true,
    choices: ["true", "false"],
    fromText: (text) => (text === "true" || text === "false" ? text === "true" : text),
    accepts: (value): value is boolean => typeof value === "boolean",
  };
}

export function text(takes: string, isRight: (text: string) => boolean): Kind<string> {
  return {
    takes,
    name: "text",
    fromText: (value) => value,
    accepts: (value): value is string => typeof value === "string" && isRight(value),
  };
}

/** A file or folder; a relative one begins at the working directory, wherever it is written. */
export function place(): Kind<string> {
  return { ...text("a path", (value) => value !== "" && !value.includes("\0")), name: "path" };
}

export function oneOf<const T extends string>(allowed: readonly T[]): Kind<T> {
  return {
    takes: `one of ${allowed.join(", ")}`,
    name: allowed.join(", "),
    choices: allowed,
    fromText: (value) => value,
    accepts: (value): value is T => allowed.some((each) => each === value),
  };
}

/**
 * In TOML an array; as a flag one a time, or like the environment with commas between. None at all is `[]`
 * there too, since an empty variable is one that was not set.
 */
export function listOf(what: string, item: Kind<string>): Kind<readonly string[]> {
  return {
    takes: `a list of ${what}`,
    name: `list of ${what}`,
    isList: true,
    fromText: (value) =>
      value === "" || value === "[]" ? [] : value.split(",").map((each) => each.trim()),
    accepts: (value): value is readonly string[] =>
      Array.isArray(value) && value.every((each) => item.accepts(each)),
  };
}
