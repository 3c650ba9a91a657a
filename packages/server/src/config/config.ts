import { SETTINGS_DEFAULT, type ServerSettings } from "../settings.ts";

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;

/** All that a server's process is told; `schema.ts` has a line for each value of it. */
export interface Config {
  readonly dataFolder: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly settings: ServerSettings;
}

export const CONFIG_DEFAULT: Config = {
  dataFolder: "./data",
  // Whoever wants the world to reach it says so.
  host: "127.0.0.1",
  port: 7420,
  logLevel: "info",
  settings: SETTINGS_DEFAULT,
};

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

export const isLoopback = (host: string): boolean => LOOPBACK.includes(host);

/** Both names of loopback, and both families, with the port that the server has. */
export function loopbackOrigins(port: number): string[] {
  return ["127.0.0.1", "localhost", "[::1]"].map((host) => `http://${host}:${port}`);
}
