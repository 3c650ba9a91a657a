import { expect, test } from "vitest";
import { OPEN_FILES_SLACK } from "../../src/open-files.ts";
import { testFolder } from "../fixtures/embedded.ts";
import { startServer } from "../fixtures/server-process.ts";

const ALLOWED = 300;

test.each([
  [ALLOWED - OPEN_FILES_SLACK, false],
  [ALLOWED - OPEN_FILES_SLACK + 1, true],
])(
  "with 300 open files and %i connections it warns at its start: %s",
  async (connections, warns) => {
    const server = await startServer({
      dataFolder: testFolder(),
      under: ["prlimit", `--nofile=${ALLOWED}:${ALLOWED}`],
      args: ["--server.connections_max", String(connections)],
    });
    expect(server.log().includes('"event":"open-files-few"')).toBe(warns);
  },
);
