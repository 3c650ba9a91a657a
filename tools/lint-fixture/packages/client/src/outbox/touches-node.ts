// expect: noRestrictedImports noRestrictedGlobals
import { readFileSync } from "node:fs";
import { nodeSocket } from "../platform/node/node-socket.ts";

export const touches = [readFileSync, nodeSocket, setTimeout];
