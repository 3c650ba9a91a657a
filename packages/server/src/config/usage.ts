import { CONFIG_DEFAULT } from "./config.ts";
import { folded } from "./folded.ts";
import { SCHEMA } from "./schema.ts";
import { type Setting, valueAt } from "./setting.ts";

const COLUMN = 20;
const LINE_CHARACTERS = 58;

/** What `--help` prints: the settings that have a short name, and where all of them stand. */
export function usage(): string {
  return `usage: npm start -- [serve] [options]      run the server until it is stopped
       npm start -- config check|default|show|docs [options]
       npm start -- doctor [--hold SECONDS] [--json] [options]

${SCHEMA.filter(({ flag }) => flag !== undefined)
  .map(line)
  .join(
    "",
  )}  --config FILE     ${"TOML; by default parley.toml in the data folder or here".padEnd(LINE_CHARACTERS + 1)}PARLEY_CONFIG
  --help

Every setting is also --SECTION.KEY VALUE, PARLEY__SECTION__KEY in the environment (or …_FILE: read from the
file that it names), and a line of the file; flags go before environment before file. docs/CONFIGURATION.md
lists them, and \`config default\` prints a file with all of them.

exit status: 0 stopped as asked, 64 wrong usage, 69 cannot listen, 74 the disk failed,
75 another server uses the folder, 78 the configuration or the folder cannot be used
`;
}

function line(setting: Setting): string {
  const { flag, value = "VALUE", doc, shortEnv = "", defaultSays } = setting;
  const [first = ""] = doc.split(/\.(?: |$)/);
  const usual = defaultSays ?? String(valueAt(CONFIG_DEFAULT, setting));
  const [line = "", ...more] = folded(`${first} (default: ${usual})`, LINE_CHARACTERS);
  const name = `  --${flag} ${value}`.padEnd(COLUMN);
  return [
    `${name}${line.padEnd(LINE_CHARACTERS + 1)}${shortEnv}`.trimEnd(),
    ...more.map((each) => `${"".padEnd(COLUMN)}${each}`),
  ]
    .map((each) => `${each}\n`)
    .join("");
}
