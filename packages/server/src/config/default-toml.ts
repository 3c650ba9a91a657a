import { stringify } from "smol-toml";
import { CONFIG_DEFAULT } from "./config.ts";
import { folded } from "./folded.ts";
import { SCHEMA } from "./schema.ts";
import { SECTIONS, type SectionName } from "./sections.ts";
import { type Setting, valueAt } from "./setting.ts";

const LINE_CHARACTERS = 98;

/**
 * A file with every setting at its default, each behind a `#`: what nobody has changed follows the defaults of
 * later versions.
 */
export function defaultToml(): string {
  const head = comment(
    "Parley's configuration. Every line that is commented out is the default. Check it with `parley config check`.",
  );
  const sections = Object.keys(SECTIONS) as SectionName[];
  return `${[head, ...sections.map(sectionText)].join("\n\n")}\n`;
}

function sectionText(name: SectionName): string {
  const settings = SCHEMA.filter(({ section }) => section === name);
  return [`${comment(SECTIONS[name])}\n[${name}]`, ...settings.map(settingText)].join("\n\n");
}

function settingText(setting: Setting): string {
  const { doc, kind, defaultSays } = setting;
  const hangs = defaultSays === undefined ? "" : ` Default: ${defaultSays}.`;
  return `${comment(`${doc} Takes ${kind.takes}.${hangs}`)}\n#${tomlLine(setting, valueAt(CONFIG_DEFAULT, setting))}`;
}

export function tomlLine({ key }: Setting, value: unknown): string {
  return stringify({ [key]: value }).trim();
}

function comment(text: string): string {
  return folded(text, LINE_CHARACTERS)
    .map((line) => `# ${line}`)
    .join("\n");
}
