import { parseArgs } from "node:util";
import { SETTINGS_DEFAULT, type ServerSettings } from "./settings.ts";

export interface Config {
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  /** Empty: the loopback names, with the port that the server has. */
  readonly origins: readonly string[];
  readonly settings: Partial<ServerSettings>;
}

/** What a person typed cannot be used; the message says what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `usage: npm start -- [options]

  --data DIR        where everything is kept (default ./data)        PARLEY_DATA
  --port N          0 takes any free port (default 7420)             PARLEY_PORT
  --host ADDRESS    where to listen (default 127.0.0.1)              PARLEY_HOST
  --origin URL      under which clients find this server, as often   PARLEY_ORIGINS
                    as needed (default: the names of loopback)       (separated by commas)
  --sign-up WHO     open or closed (default: open on loopback,       PARLEY_SIGN_UP
                    closed elsewhere)
  --sends N         messages a minute from one account               PARLEY_SENDS
  --log LEVEL       silent, error, warn, info or debug               PARLEY_LOG
  --help

exit status: 0 stopped as asked, 64 wrong usage, 69 cannot listen, 74 the disk failed,
75 another server uses the folder, 78 the folder cannot be used
`;

const OPTIONS = {
  data: { type: "string" },
  port: { type: "string" },
  host: { type: "string" },
  origin: { type: "string", multiple: true },
  "sign-up": { type: "string" },
  sends: { type: "string" },
  log: { type: "string" },
  help: { type: "boolean" },
} as const;

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];
const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

type Environment = Readonly<Record<string, string | undefined>>;

/** From flags and environment, flags first. "help": it was asked for. */
export function readConfig(args: readonly string[], env: Environment): Config | "help" {
  const flags = parseFlags(args);
  if (flags.help) return "help";
  const host = flags.host ?? env["PARLEY_HOST"] ?? "127.0.0.1";
  const isLoopback = LOOPBACK.includes(host);
  const origins = flags.origin ?? env["PARLEY_ORIGINS"]?.split(",") ?? [];
  for (const origin of origins) requireOrigin(origin);
  if (origins.length === 0 && !isLoopback)
    throw new UsageError(`${host} is not loopback: say --origin https://… as clients will see it`);
  const signUp = oneOf(
    "--sign-up",
    flags["sign-up"] ?? env["PARLEY_SIGN_UP"] ?? (isLoopback ? "open" : "closed"),
    ["open", "closed"] as const,
  );
  const sends = flags.sends ?? env["PARLEY_SENDS"];
  return {
    dataFolder: flags.data ?? env["PARLEY_DATA"] ?? "./data",
    host,
    port: wholeNumber("--port", flags.port ?? env["PARLEY_PORT"] ?? "7420", 65_535),
    logLevel: oneOf("--log", flags.log ?? env["PARLEY_LOG"] ?? "info", LOG_LEVELS),
    origins,
    settings: { signUp, perMinute: perMinute(sends) },
  };
}

/** Both names of loopback, and both families, with the port that the server has. */
export function loopbackOrigins(port: number): string[] {
  return ["127.0.0.1", "localhost", "[::1]"].map((host) => `http://${host}:${port}`);
}

function perMinute(sends: string | undefined): ServerSettings["perMinute"] {
  const usual = SETTINGS_DEFAULT.perMinute;
  return sends === undefined ? usual : { ...usual, send: wholeNumber("--sends", sends, 1e9) };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

function requireOrigin(origin: string): void {
  const parsed = URL.canParse(origin) ? new URL(origin) : undefined;
  if (parsed?.origin !== origin || !/^https?:$/.test(parsed.protocol))
    throw new UsageError(`${origin} is not an origin such as https://chat.example`);
}

function wholeNumber(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= max) return value;
  throw new UsageError(`${flag} takes a number from 0 to ${max}, not ${text}`);
}

function oneOf<T extends string>(flag: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found !== undefined) return found;
  throw new UsageError(`${flag} is one of ${allowed.join(", ")}, not ${text}`);
}
