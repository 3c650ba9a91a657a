import { existsSync, readFileSync, realpathSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import {
  EXIT_NOT_ALLOWED,
  EXIT_REFUSED_INPUT,
  EXIT_TRY_AGAIN,
  EXIT_UNREACHABLE,
  EXIT_USAGE,
  ExitError,
} from "./exit-status.ts";

export interface ServerQuestion {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: object;
}

/** As long as a server's disk may take to answer, and not longer than a person waits. */
const PATIENCE_MS = 10_000;

/**
 * Asks the server that runs on this data folder, over the socket that only the folder's owner can use. Where it
 * cannot be asked, or refuses, fails with a line for the person.
 */
export async function askServer(dataFolder: string, question: ServerQuestion): Promise<unknown> {
  const socketPath = socketOf(dataFolder);
  const { status, text } = await answerTo(socketPath, question).catch((cause: unknown) => {
    throw failureOf(dataFolder, cause as NodeJS.ErrnoException);
  });
  const said = text === "" ? undefined : (JSON.parse(text) as { readonly error?: string });
  if (status < 300) return said;
  throw new ExitError(statusOf(status), said?.error ?? `the server answers with ${status}`);
}

/** A folder whose name is too long for a socket says where the socket is instead. */
function socketOf(dataFolder: string): string {
  if (!existsSync(dataFolder))
    throw new ExitError(
      EXIT_USAGE,
      `there is no folder ${dataFolder}: --data names the one that a server was started with`,
    );
  const folder = realpathSync(dataFolder);
  const record = join(folder, "admin.path");
  return existsSync(record) ? readFileSync(record, "utf8").trim() : join(folder, "admin.sock");
}

async function answerTo(socketPath: string, { method, path, body }: ServerQuestion) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asking = request({
      ...{ socketPath, method, path, timeout: PATIENCE_MS },
      headers: body === undefined ? {} : { "content-type": "application/json" },
    });
    asking.once("response", resolve).once("error", reject);
    asking.once("timeout", () => asking.destroy(new Error("no answer")));
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode ?? 500, text };
}

function failureOf(dataFolder: string, cause: NodeJS.ErrnoException): ExitError {
  switch (cause.code) {
    case "EACCES":
    case "EPERM":
      return new ExitError(
        EXIT_NOT_ALLOWED,
        `only the owner of ${dataFolder} may do that: run this as the user who runs the server`,
        { cause },
      );
    case "ENOENT":
    case "ECONNREFUSED":
      return new ExitError(
        EXIT_UNREACHABLE,
        `no server runs on ${dataFolder}: start it, or say --data DIR`,
        { cause },
      );
    default:
      return new ExitError(
        EXIT_UNREACHABLE,
        `the server on ${dataFolder} cannot be asked: ${cause.message}`,
        { cause },
      );
  }
}

function statusOf(status: number): number {
  if (status === 503) return EXIT_TRY_AGAIN;
  return status === 400 || status === 404 ? EXIT_REFUSED_INPUT : EXIT_NOT_ALLOWED;
}
