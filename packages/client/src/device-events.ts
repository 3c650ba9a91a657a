import type { AlarmKind } from "./api.ts";
import type { ConnectionHandler } from "./connection/connection-handler.ts";

/** What a device tells of itself, beside what its connection hands up. */
export interface DeviceEvents extends ConnectionHandler {
  alarm(kind: AlarmKind, about: string): void;
  /** A list has lost devices: what they had sent before is still to come. */
  devicesLeft(): void;
  /** Once. The store failed, or an invariant broke: nothing runs any more. Close, and open again. */
  fatal(cause: unknown): void;
}
