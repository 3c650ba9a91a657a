import { SETTINGS_DEFAULT, type ServerSettings } from "../settings.ts";

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;

/** All that a server's process is told; `schema.ts` has a line for each value of it. */
export interface Config {
  readonly dataFolder: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** A port for whoever runs the server: metrics, and probes with their reasons. */
  readonly metrics: { readonly enabled: boolean; readonly host: string; readonly port: number };
  /** Off where the endpoint is empty. */
  readonly tracing: {
    readonly endpoint: string;
    /** What the collector asks for in that header; empty: nothing. */
    readonly authorization: string;
    readonly ratio: number;
  };
  readonly settings: ServerSettings;
}

export const CONFIG_DEFAULT: Config = {
  dataFolder: "./data",
  // Whoever wants the world to reach it says so.
  host: "127.0.0.1",
  port: 7420,
  logLevel: "info",
  // Off, so that a second server on a machine starts without being told of the first one's port.
  metrics: { enabled: false, host: "127.0.0.1", port: 7421 },
  // Enough to see where time goes, and too little to be seen in it.
  tracing: { endpoint: "", authorization: "", ratio: 0.01 },
  settings: SETTINGS_DEFAULT,
};

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

export const isLoopback = (host: string): boolean => LOOPBACK.includes(host);

/** Both names of loopback, and both families, with the port that the server has. */
export function loopbackOrigins(port: number): string[] {
  return ["127.0.0.1", "localhost", "[::1]"].map((host) => `http://${host}:${port}`);
}
