import type { Problem } from "./config-error.ts";
import { nearestName } from "./nearest-name.ts";
import type { Said } from "./said.ts";
import { flagsOf, type Setting } from "./setting.ts";

export interface Flags {
  readonly said: readonly Said[];
  readonly problems: readonly Problem[];
  readonly config: string | undefined;
  readonly help: boolean;
  /** Those of `switches` that were there. */
  readonly switches: ReadonlySet<string>;
}

/** `--name VALUE`, `--name=VALUE`, and switches. A list may be given one a time; of anything else the last one counts. */
export function readFlags(
  args: readonly string[],
  schema: readonly Setting[],
  switches: readonly string[] = [],
): Flags {
  const settings = new Map(schema.flatMap((each) => flagsOf(each).map((name) => [name, each])));
  const bare = ["help", ...switches];
  const names = ["config", ...bare, ...settings.keys()];
  const isSwitch = (name: string) =>
    bare.includes(name) || settings.get(name)?.kind.isSwitch === true;
  const lists = new Map<Setting, unknown[]>();
  const said: Said[] = [];
  const problems: Problem[] = [];
  const found = new Set<string>();
  let config: string | undefined;
  for (const { name, value, wholeArgument } of split(args, isSwitch)) {
    const where = `--${name}`;
    const setting = settings.get(name);
    if (name === "" || (setting === undefined && !names.includes(name)))
      problems.push({ where: wholeArgument, says: unknown(name, names), isUsage: true });
    else if (setting === undefined && name !== "config") found.add(name);
    else if (setting?.kind.isSwitch)
      said.push({ setting, value: setting.kind.fromText(value ?? "true"), where, source: "flag" });
    else if (value === undefined) problems.push({ where, says: "needs a value", isUsage: true });
    else if (setting === undefined) config = value;
    else if (setting.kind.isList) {
      const list = lists.get(setting) ?? [];
      if (list.length === 0) said.push({ setting, value: list, where, source: "flag" });
      lists.set(setting, list);
      list.push(...(setting.kind.fromText(value) as unknown[]));
    } else said.push({ setting, value: setting.kind.fromText(value), where, source: "flag" });
  }
  return { said, problems, config, help: found.has("help"), switches: found };
}

interface Argument {
  readonly name: string;
  readonly value: string | undefined;
  readonly wholeArgument: string;
}

/** What follows an option is its value, also where nobody knows the option. */
function* split(args: readonly string[], isSwitch: (name: string) => boolean): Generator<Argument> {
  for (let index = 0; index < args.length; index++) {
    const wholeArgument = args[index] as string;
    const [, name = "", inline] = /^--([^=]+)(?:=(.*))?$/s.exec(long(wholeArgument)) ?? [];
    const next = args[index + 1];
    if (inline !== undefined || name === "" || isSwitch(name))
      yield { name, value: inline, wholeArgument };
    else if (next === undefined || next.startsWith("--"))
      yield { name, value: undefined, wholeArgument };
    else {
      index++;
      yield { name, value: next, wholeArgument };
    }
  }
}

const long = (argument: string) => (argument === "-h" ? "--help" : argument);

function unknown(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  return nearest === undefined
    ? "there is no such option"
    : `there is no such option; --${nearest}?`;
}
