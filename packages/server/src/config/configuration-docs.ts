import { CONFIG_DEFAULT } from "./config.ts";
import { tomlLine } from "./default-toml.ts";
import { SCHEMA } from "./schema.ts";
import { SECTIONS, type SectionName } from "./sections.ts";
import { envOf, type Setting, valueAt } from "./setting.ts";

const INTRODUCTION = `# Configuration

Generated from the schema by \`parley config docs\`; change \`packages/server/src/config/schema.ts\`.

A server needs no configuration: each setting has a default that suits a small box. What is said counts in this order:

1. a flag: \`--server.port 8000\`; some have a short name, \`--port 8000\`
2. the environment: \`PARLEY__SERVER__PORT=8000\`, or \`PARLEY__SERVER__PORT_FILE=/run/secrets/port\`, a file that holds the value
3. a TOML file: \`port = 8000\` under \`[server]\`; the one of \`--config FILE\` or \`PARLEY_CONFIG\`, else \`parley.toml\` in the data folder, else \`parley.toml\` in the working directory
4. the default

Lists are arrays in TOML, \`--origin\` once for each as flags, and separated by commas in the environment, where an empty list is \`[]\`: an empty variable counts as not set. Relative paths begin at the working directory. An unknown name anywhere is refused, with the nearest one; so is a value that does not fit, even where another overrides it.

\`\`\`
parley config check     # everything that is wrong, at once
parley config show      # what counts, and where it comes from
parley config default   # a file with every setting, commented out
\`\`\`

All take the options of \`parley serve\`. Exit status: 0 all is right, 64 a flag is wrong, 78 the file or the environment is.
`;

/** docs/CONFIGURATION.md. */
export function configurationDocs(): string {
  const sections = Object.keys(SECTIONS) as SectionName[];
  return `${[INTRODUCTION.trim(), ...sections.map(sectionText)].join("\n\n")}\n`;
}

function sectionText(name: SectionName): string {
  const settings = SCHEMA.filter(({ section }) => section === name);
  return [`## \`[${name}]\``, SECTIONS[name], ...settings.map(settingText)].join("\n\n");
}

function settingText(setting: Setting): string {
  const { key, doc, kind, flag, value, shortEnv, defaultSays } = setting;
  const line = tomlLine(setting, valueAt(CONFIG_DEFAULT, setting));
  const rows = [
    `- Takes ${kind.takes}.`,
    `- Default: ${defaultSays ?? `\`${line}\``}`,
    `- Environment: \`${envOf(setting)}\`${shortEnv === undefined ? "" : ` or \`${shortEnv}\``}`,
    ...(flag === undefined ? [] : [`- Flag: \`--${flag} ${value}\``]),
    ...(setting.isSecret ? ["- A secret: it is never printed, and there is no flag for it."] : []),
  ];
  return `### \`${key}\`\n\n${doc}\n\n${rows.join("\n")}`;
}
