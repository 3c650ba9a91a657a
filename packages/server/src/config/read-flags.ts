import type { Problem } from "./config-error.ts";
import { nearestName } from "./nearest-name.ts";
import type { Said } from "./said.ts";
import { fileEnvOf, flagsOf, nameOf, type Setting } from "./setting.ts";

export interface Flags {
  readonly said: readonly Said[];
  readonly problems: readonly Problem[];
  readonly config: string | undefined;
  readonly help: boolean;
  /** Those of a command's own that were there; a switch has an empty value. */
  readonly extras: ReadonlyMap<string, string>;
}

/** What a command takes besides the settings. */
export type Extras = Readonly<Record<string, "switch" | "value">>;

/** `--name VALUE`, `--name=VALUE`, and switches. A list may be given one a time; of anything else the last one counts. */
export function readFlags(
  args: readonly string[],
  schema: readonly Setting[],
  extras: Extras = {},
): Flags {
  const settings = new Map(schema.flatMap((each) => flagsOf(each).map((name) => [name, each])));
  const secrets = new Map(
    schema.filter(({ isSecret }) => isSecret).map((each) => [nameOf(each), noFlag(each)]),
  );
  const own: Extras = { help: "switch", config: "value", ...extras };
  const names = [...Object.keys(own), ...settings.keys()];
  const isSwitch = (name: string) =>
    own[name] === "switch" || settings.get(name)?.kind.isSwitch === true;
  const lists = new Map<Setting, unknown[]>();
  const said: Said[] = [];
  const problems: Problem[] = [];
  const found = new Map<string, string>();
  for (const { name, value, wholeArgument } of split(args, isSwitch)) {
    const where = `--${name}`;
    const setting = settings.get(name);
    if (name === "" || (setting === undefined && !names.includes(name)))
      problems.push({
        where: name === "" ? wholeArgument : where,
        says: secrets.get(name) ?? unknown(name, names),
        isUsage: true,
      });
    else if (own[name] === "switch") found.set(name, "");
    else if (setting?.kind.isSwitch)
      said.push({ setting, value: setting.kind.fromText(value ?? "true"), where, source: "flag" });
    else if (value === undefined) problems.push({ where, says: "needs a value", isUsage: true });
    else if (setting === undefined) found.set(name, value);
    else if (setting.kind.isList) {
      const list = lists.get(setting) ?? [];
      if (list.length === 0) said.push({ setting, value: list, where, source: "flag" });
      lists.set(setting, list);
      list.push(...(setting.kind.fromText(value) as unknown[]));
    } else said.push({ setting, value: setting.kind.fromText(value), where, source: "flag" });
  }
  return { said, problems, config: found.get("config"), help: found.has("help"), extras: found };
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
    else if (next === undefined || /^--|^-h$/.test(next))
      yield { name, value: undefined, wholeArgument };
    else {
      index++;
      yield { name, value: next, wholeArgument };
    }
  }
}

const long = (argument: string) => (argument === "-h" ? "--help" : argument);

/** Everybody on the machine can read what a process was started with. */
function noFlag(secret: Setting): string {
  return `is a secret, and no option: name a file that holds it in ${fileEnvOf(secret)}`;
}

function unknown(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  return nearest === undefined
    ? "there is no such option"
    : `there is no such option; --${nearest}?`;
}
