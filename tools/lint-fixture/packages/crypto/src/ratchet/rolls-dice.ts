// expect: noRestrictedImports noRestrictedGlobals
import { Messenger } from "@parley/client";

export const rolls = [Messenger, crypto];
