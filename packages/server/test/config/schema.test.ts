import fc from "fast-check";
import { expect, test } from "vitest";
import { CONFIG_DEFAULT, type Config } from "../../src/config/config.ts";
import { configurationDocs } from "../../src/config/configuration-docs.ts";
import { defaultToml, tomlLine } from "../../src/config/default-toml.ts";
import { readEnvironment } from "../../src/config/read-environment.ts";
import { readToml } from "../../src/config/read-file.ts";
import { readFlags } from "../../src/config/read-flags.ts";
import type { Said } from "../../src/config/said.ts";
import { SCHEMA } from "../../src/config/schema.ts";
import {
  envOf,
  flagsOf,
  nameOf,
  type Setting,
  valueAt,
  withValue,
} from "../../src/config/setting.ts";

function leavesOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, each]) =>
    leavesOf(each, path === "" ? key : `${path}.${key}`),
  );
}

const configOf = (said: readonly Said[]): Config =>
  said.reduce((made, { setting, value }) => withValue(made, setting, value), CONFIG_DEFAULT);

test("every setting has one line", () => {
  expect(SCHEMA.map(({ at }) => at).sort()).toEqual(leavesOf(CONFIG_DEFAULT).sort());
});

test("every name is there once, in the file, in the environment and as a flag", () => {
  const flags = SCHEMA.flatMap(flagsOf);
  const variables = SCHEMA.flatMap((each) => [
    envOf(each),
    `${envOf(each)}_FILE`,
    ...(each.shortEnv === undefined ? [] : [each.shortEnv]),
  ]);
  for (const names of [SCHEMA.map(nameOf), flags, variables])
    expect(names).toEqual([...new Set(names)]);
});

test.each(SCHEMA.map((each) => [nameOf(each), each] as const))(
  "%s takes its own default, and is told in whole sentences",
  (_, { kind, key, doc, section, ...setting }) => {
    expect(kind.accepts(valueAt(CONFIG_DEFAULT, { kind, key, doc, section, ...setting }))).toBe(
      true,
    );
    expect(`${section} ${key}`).toMatch(/^[a-z_]+ [a-z][a-z0-9_]*$/);
    expect(doc).toMatch(/^[A-Z0-9].*\.$/s);
  },
);

test("the default file is TOML, commented out or not, and says the defaults", () => {
  const printed = defaultToml();
  expect(readToml(printed, "default", SCHEMA)).toEqual({ said: [], problems: [] });
  const uncommented = printed.replace(/^#(?! )/gm, "");
  const { said, problems } = readToml(uncommented, "default", SCHEMA);
  expect(problems).toEqual([]);
  expect(said.map(({ setting }) => nameOf(setting))).toEqual(SCHEMA.map(nameOf));
  expect(configOf(said)).toEqual(CONFIG_DEFAULT);
});

test("the documentation names every setting, its variable and its default", () => {
  const docs = configurationDocs();
  for (const each of SCHEMA) {
    expect(docs).toContain(`### \`${each.key}\``);
    expect(docs).toContain(`\`${envOf(each)}\``);
  }
});

/** A value that the setting takes, and the text that a person would type for it. */
function anyValueOf({ kind }: Setting): fc.Arbitrary<{ value: unknown; text: string }> {
  if (kind.choices !== undefined)
    return fc.constantFrom(...kind.choices).map((text) => ({ value: kind.fromText(text), text }));
  if (kind.isList) {
    const isOrigins = kind.accepts(["https://a.example"]);
    const item = fc.nat(99).map((n) => (isOrigins ? `https://a${n}.example` : `10.0.0.${n}`));
    return fc.array(item).map((value) => ({ value, text: value.join(",") || "[]" }));
  }
  const range = /from (-?[\d.]+) to ([\d.]+)/.exec(kind.takes);
  if (range === null)
    return fc
      .stringMatching(/^[a-z0-9.]{1,9}$/)
      .map((name) => (kind.accepts(name) ? name : `https://a.example/${name}`))
      .map((value) => ({ value, text: value }));
  const [min, max] = [Number(range[1]), Number(range[2])];
  return fc.integer({ min, max }).map((value) => ({ value, text: String(value) }));
}

const anyConfig = fc
  .subarray([...SCHEMA])
  .chain((settings) =>
    fc.tuple(
      ...settings.map((setting) => anyValueOf(setting).map((given) => ({ setting, ...given }))),
    ),
  );

test("whatever is written as TOML, flags or variables is read as it was", () => {
  fc.assert(
    fc.property(anyConfig, (given) => {
      const asSaid = given.map((each) => ({ ...each, where: "", source: "file" as const }));
      const expected = configOf(asSaid);
      // A table may be opened once: its lines together.
      const bySection = Map.groupBy(given, ({ setting }) => setting.section);
      const file = [...bySection].map(
        ([section, those]) =>
          `[${section}]\n${those.map(({ setting, value }) => tomlLine(setting, value)).join("\n")}`,
      );
      const fromFile = readToml(file.join("\n"), "some.toml", SCHEMA);
      // A secret is no flag.
      const open = given.filter(({ setting }) => !setting.isSecret);
      const args = open.map(({ setting, text }) => `--${nameOf(setting)}=${text}`);
      const env = Object.fromEntries(given.map(({ setting, text }) => [envOf(setting), text]));
      for (const { said, problems } of [
        fromFile,
        readFlags(args, SCHEMA),
        readEnvironment(env, SCHEMA),
      ]) {
        expect(problems).toEqual([]);
        expect(said.filter(({ setting, value }) => !setting.kind.accepts(value))).toEqual([]);
      }
      expect(configOf(fromFile.said)).toEqual(expected);
      expect(configOf(readFlags(args, SCHEMA).said)).toEqual(
        configOf(asSaid.filter(({ setting }) => !setting.isSecret)),
      );
      expect(configOf(readEnvironment(env, SCHEMA).said)).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});
