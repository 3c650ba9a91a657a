import type { DeviceOptions } from "./device-command.ts";

/** What a person types next on this device: as he called us, and with the options that name the device. */
export function nextCommand(words: string, { home, keyFile }: DeviceOptions): string {
  // npx sets it; without npx a `parley` of the project is on nobody's path.
  const name = process.env["npm_command"] === "exec" ? "npx parley" : "parley";
  const where = [
    ...(home === undefined ? [] : ["--home", quoted(home)]),
    ...(keyFile === undefined ? [] : ["--key-file", quoted(keyFile)]),
  ];
  return [name, words, ...where].join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
