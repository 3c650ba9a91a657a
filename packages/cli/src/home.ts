import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { makeFolder } from "@parley/client/node";
import type { DeviceOptions } from "./device-command.ts";
import { EXIT_USAGE, ExitError } from "./exit-status.ts";

/** Folder of one device: its encrypted store, and beside it what is no secret. */
export interface Home {
  readonly folder: string;
  /** Undefined until a sign-up was begun here. */
  serverUrl(): string | undefined;
  rememberServer(url: string): void;
}

export function homeOf(options: DeviceOptions): Home {
  const folder = options.home ?? process.env["PARLEY_HOME"] ?? join(homedir(), ".parley");
  const file = join(folder, "server");
  return {
    folder,
    serverUrl: () => readText(file)?.trim(),
    rememberServer: (url) => {
      makeFolder(folder);
      writeFileSync(`${file}.new`, `${url}\n`);
      renameSync(`${file}.new`, file);
    },
  };
}

/** http or https, nothing behind the host: its origin is what logins are bound to. */
export function parseServerUrl(typed: string): string {
  const url = URL.parse(typed);
  const plain = url && url.pathname === "/" && !url.search && !url.hash && !url.username;
  if (!plain || !["http:", "https:"].includes(url.protocol))
    throw new ExitError(
      EXIT_USAGE,
      `not the address of a server: ${typed} (try http://127.0.0.1:7420)`,
    );
  return url.origin;
}

export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}
