import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { makeFolder } from "@parley/client/node";
import type { DeviceOptions } from "./device-command.ts";
import { EXIT_USAGE, ExitError } from "./exit-status.ts";

export type StoreKey = { readonly keyFile: string } | { readonly passphrase: string };

const HOW_TO_GIVE =
  "the key of this device's data is missing: give --key-file FILE or set PARLEY_PASSPHRASE";

const KEY_FILE_BYTES = 32;

/** `isNew`: a key file that is not there is made, and a passphrase is chosen, so it is asked for twice. */
export async function storeKey(options: DeviceOptions, isNew: boolean): Promise<StoreKey> {
  const { PARLEY_PASSPHRASE, PARLEY_KEY_FILE } = process.env;
  if (PARLEY_PASSPHRASE && !options.keyFile) return { passphrase: PARLEY_PASSPHRASE };
  const keyFile = options.keyFile ?? PARLEY_KEY_FILE;
  if (keyFile) {
    if (isNew && !existsSync(keyFile)) makeKeyFile(keyFile);
    return { keyFile };
  }
  if (!process.stdin.isTTY) throw new ExitError(EXIT_USAGE, HOW_TO_GIVE);
  const passphrase = await ask(isNew ? "A passphrase for this device's data: " : "Passphrase: ");
  if (passphrase === "") throw new ExitError(EXIT_USAGE, HOW_TO_GIVE);
  if (isNew && (await ask("Once more: ")) !== passphrase)
    throw new ExitError(EXIT_USAGE, "the two passphrases differ");
  return { passphrase };
}

function makeKeyFile(file: string): void {
  makeFolder(dirname(file));
  writeFileSync(file, randomBytes(KEY_FILE_BYTES), { mode: 0o600, flag: "wx", flush: true });
}

/** Nothing of what is typed is shown. */
async function ask(question: string): Promise<string> {
  const muted = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(question);
  const asking = createInterface({ input: process.stdin, output: muted, terminal: true });
  try {
    return await Promise.race([
      asking.question(""),
      new Promise<never>((_resolve, reject) => {
        asking.once("SIGINT", () => reject(new ExitError(EXIT_USAGE, "no passphrase")));
      }),
    ]);
  } finally {
    asking.close();
    process.stderr.write("\n");
  }
}
