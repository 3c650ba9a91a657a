import { resolve } from "node:path";
import type { Config } from "./config/config.ts";
import type { Given } from "./core/invitations.ts";

export interface Started {
  readonly config: Config;
  /** The one that it has, where any free one was asked for. */
  readonly port: number;
  /** With which the first person comes in. */
  readonly invitation: Given | undefined;
}

/** What a server says once it can be used, ending with the next command to type. */
export function greeting({ config, port, invitation }: Started): string {
  const { dataFolder, host, settings } = config;
  const name = host.includes(":") ? `[${host}]` : host;
  const address = settings.origins[0] ?? `http://${name}:${port}`;
  const signUp = `npx parley signup --server ${address} --handle NAME`;
  return [
    `Parley listens on http://${name}:${port}`,
    `Data folder: ${resolve(dataFolder)}`,
    ...next(config, { signUp, invitation }),
    "",
  ].join("\n");
}

interface Next {
  readonly signUp: string;
  readonly invitation: Given | undefined;
}

function next({ dataFolder, settings }: Config, { signUp, invitation }: Next): string[] {
  switch (settings.signUp) {
    case "open":
      return [`Next, in another terminal: ${signUp}`];
    case "closed":
      return ["Sign-up is closed: only those who have an account can use this server."];
    case "invitation":
      if (invitation !== undefined)
        return [
          `Invitation for the first account, good for 7 days: ${invitation.code}`,
          `Next, where you want to write from: ${signUp} --invitation ${invitation.code}`,
        ];
      return [
        `Next, to let somebody in: npx parley invitations create --data ${quoted(dataFolder)}`,
      ];
  }
}

/** As a POSIX shell takes it. */
function quoted(path: string): string {
  return /^[\w./+:@-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
