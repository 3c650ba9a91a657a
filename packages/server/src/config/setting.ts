import type { Config } from "./config.ts";
import type { Kind } from "./kind.ts";
import type { SectionName } from "./sections.ts";

/** Where in a `Config` a value of type `T` may stand: `settings.mailbox.envelopesMax`. */
type PathTo<C, T> = {
  [K in keyof C & string]:
    | (T extends C[K] ? K : never)
    | (C[K] extends readonly unknown[]
        ? never
        : C[K] extends object
          ? `${K}.${PathTo<C[K], T>}`
          : never);
}[keyof C & string];

export interface SettingDetails<Path extends string = string> {
  readonly at: Path;
  /** Whole sentences: what it does, and why its default is what it is. */
  readonly doc: string;
  /** A name of its own, besides `--section.key`. */
  readonly flag?: string;
  /** What its value is called in the usage, such as `DIR`. */
  readonly value?: string;
  /** The name it had in the environment before there was a schema. */
  readonly shortEnv?: string;
  /** In words, where it hangs on other settings. */
  readonly defaultSays?: string;
  /** Never printed, and not taken as a flag, which everybody on the machine could read. */
  readonly isSecret?: true;
}

export interface Setting extends SettingDetails {
  readonly section: SectionName;
  /** snake_case, unit last. */
  readonly key: string;
  readonly kind: Kind<unknown>;
}

export function setting<T>(
  section: SectionName,
  key: string,
  kind: Kind<T>,
  details: SettingDetails<PathTo<Config, T>>,
): Setting {
  return { section, key, kind, ...details };
}

export const nameOf = ({ section, key }: Setting): string => `${section}.${key}`;

export const envOf = ({ section, key }: Setting): string =>
  `PARLEY__${section}__${key}`.toUpperCase();

/** Read from a file that the variable names: for secrets, as containers get them. */
export const fileEnvOf = (setting: Setting): string => `${envOf(setting)}_FILE`;

/** The one with the short name first. A secret has none. */
export function flagsOf(setting: Setting): string[] {
  if (setting.isSecret) return [];
  return [...(setting.flag === undefined ? [] : [setting.flag]), nameOf(setting)];
}

export function valueAt(config: Config, { at }: Setting): unknown {
  return at.split(".").reduce<unknown>((value, key) => (value as Tree)[key], config);
}

export function withValue(config: Config, { at }: Setting, value: unknown): Config {
  return replaced(config as unknown as Tree, at.split("."), value) as unknown as Config;
}

type Tree = Readonly<Record<string, unknown>>;

function replaced(tree: Tree, [key = "", ...rest]: readonly string[], value: unknown): Tree {
  if (rest.length === 0) return { ...tree, [key]: value };
  return { ...tree, [key]: replaced(tree[key] as Tree, rest, value) };
}
