import type { Setting } from "./setting.ts";

/** What somebody said of a setting, before anybody has looked at whether it is right. */
export interface Said {
  readonly setting: Setting;
  readonly value: unknown;
  /** The flag, the variable, or the file and line. */
  readonly where: string;
  readonly source: "flag" | "environment" | "file";
}
