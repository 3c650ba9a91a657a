import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { FastifyInstance } from "fastify";

const SOCKET = "admin.sock";
/** Holds the socket's place, where that is too long to be in the data folder. */
const ELSEWHERE = "admin.path";
/** sun_path in <sys/un.h>: 108 bytes on Linux, 104 on macOS, with the zero behind it. */
const PATH_BYTES_MAX = 103;
const ONLY_THE_OWNER = 0o600;
const NOBODY_ELSE = 0o177;

/**
 * Listens on a Unix socket in the data folder, for whoever owns the folder and nobody else. The folder is this
 * server's alone (its store is locked), so a socket that lies there is a dead server's. Resolves to its end.
 */
export async function openAdminSocket(
  app: FastifyInstance,
  dataFolder: string,
): Promise<{ readonly path: string; close(): Promise<void> }> {
  const folder = realpathSync(dataFolder); // As whoever looks for it finds it.
  clear(folder);
  const path = placeFor(folder);
  await app.ready();
  await new Promise<void>((done, failed) => {
    app.server.once("error", failed);
    // Bound in this turn, with the rights that it keeps: it never stands open to others.
    const before = process.umask(NOBODY_ELSE);
    try {
      app.server.listen(path, done);
    } finally {
      process.umask(before);
    }
  });
  chmodSync(path, ONLY_THE_OWNER);
  return {
    path,
    close: async () => {
      await app.close();
      clear(folder);
    },
  };
}

function placeFor(folder: string): string {
  const path = join(folder, SOCKET);
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return path;
  // Of a random name and ours alone, so that nobody lays another in its place.
  const made = mkdtempSync(join(process.env["XDG_RUNTIME_DIR"] ?? tmpdir(), "parley-"));
  const elsewhere = join(made, SOCKET);
  writeFileSync(join(folder, ELSEWHERE), `${elsewhere}\n`, { mode: ONLY_THE_OWNER });
  return elsewhere;
}

/** Those of a server that is stopping, or that was killed. */
function clear(folder: string): void {
  const record = join(folder, ELSEWHERE);
  const elsewhere = readIfThere(record)?.trim();
  if (elsewhere?.endsWith(join("/", SOCKET)) && /\/parley-[A-Za-z0-9]{6}$/.test(dirname(elsewhere)))
    rmSync(dirname(elsewhere), { recursive: true, force: true });
  for (const each of [record, join(folder, SOCKET)]) rmSync(each, { force: true });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}
