// expect: noRestrictedImports
import { pad } from "@parley/crypto";

export const knows = pad;
