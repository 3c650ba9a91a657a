import { InvalidArgumentError } from "commander";

export function seconds(typed: string): number {
  const value = Number(typed);
  if (typed.trim() === "" || !(value >= 0))
    throw new InvalidArgumentError("Not a number of seconds.");
  return value;
}

export function count(typed: string): number {
  const value = Number(typed);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("Not a count.");
  return value;
}
