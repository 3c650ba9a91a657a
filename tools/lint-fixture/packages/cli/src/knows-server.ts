// expect: noRestrictedImports
import { openEmbedded } from "@parley/server";

export const knows = openEmbedded;
