import type { OpenDevice } from "../open-messenger.ts";

export interface ChatWith {
  readonly device: OpenDevice;
  readonly accountId: string;
  readonly handle: string;
}
