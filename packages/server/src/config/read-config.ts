import { CONFIG_DEFAULT, type Config, isLoopback } from "./config.ts";
import { ConfigError, type Problem } from "./config-error.ts";
import { findConfigFile } from "./find-config-file.ts";
import { type Environment, readEnvironment } from "./read-environment.ts";
import { readConfigFile } from "./read-file.ts";
import { type Extras, readFlags } from "./read-flags.ts";
import type { Said } from "./said.ts";
import { SCHEMA } from "./schema.ts";
import { nameOf, withValue } from "./setting.ts";

export interface ReadConfig {
  readonly config: Config;
  /** By the setting's name: what was said of it, where it was not left at its default. */
  readonly said: ReadonlyMap<string, Said>;
  /** The file that was read. */
  readonly file: string | undefined;
  readonly extras: ReadonlyMap<string, string>;
}

/**
 * Flags before environment before file before defaults. Throws a `ConfigError` with everything that is wrong
 * in any of them, whether or not it is overridden. "help": it was asked for.
 */
export function readConfig(
  args: readonly string[],
  env: Environment,
  extras: Extras = {},
): ReadConfig | "help" {
  const flags = readFlags(args, SCHEMA, extras);
  if (flags.help) return "help";
  const environment = readEnvironment(env, SCHEMA);
  const path =
    flags.config ??
    env["PARLEY_CONFIG"] ??
    findConfigFile(dataFolderOf([...environment.said, ...flags.said]));
  const file = path === undefined ? { said: [], problems: [] } : readConfigFile(path, SCHEMA);
  const all = [...file.said, ...environment.said, ...flags.said];
  const problems = [...file.problems, ...environment.problems, ...flags.problems];
  problems.push(...all.flatMap(wrongValue));
  const said = new Map(all.map((each) => [nameOf(each.setting), each]));
  if (problems.length > 0) throw new ConfigError(problems);
  const config = filledIn(
    [...said.values()].reduce(
      (made, each) => withValue(made, each.setting, each.value),
      CONFIG_DEFAULT,
    ),
    said,
  );
  const contradictory = contradictions(config, said);
  if (contradictory.length > 0) throw new ConfigError(contradictory);
  return { config, said, file: path, extras: flags.extras };
}

/** Before any file is read. */
function dataFolderOf(said: readonly Said[]): string {
  const value = said.findLast(({ setting }) => setting.at === "dataFolder")?.value;
  return typeof value === "string" ? value : CONFIG_DEFAULT.dataFolder;
}

function wrongValue({ setting, value, where, source }: Said): Problem[] {
  if (setting.kind.accepts(value)) return [];
  const given = setting.isSecret ? "this" : JSON.stringify(value);
  const name = source === "flag" ? "" : `${nameOf(setting)} `;
  return [
    { where, says: `${name}takes ${setting.kind.takes}, not ${given}`, isUsage: source === "flag" },
  ];
}

/** The defaults that hang on other settings (`defaultSays` in the schema). */
function filledIn(config: Config, said: ReadonlyMap<string, Said>): Config {
  if (said.has("sign_up.mode") || isLoopback(config.host)) return config;
  return { ...config, settings: { ...config.settings, signUp: "invitation" } };
}

function contradictions(config: Config, said: ReadonlyMap<string, Said>): Problem[] {
  const { host } = config;
  const about = said.get("server.host");
  if (config.settings.origins.length > 0 || isLoopback(host) || about === undefined) return [];
  return [
    {
      where: about.where,
      says: `${host} is not loopback: say --origin https://… (server.origins) as clients will see it`,
      isUsage: about.source === "flag",
    },
  ];
}
