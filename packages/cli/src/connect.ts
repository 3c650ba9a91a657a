import type { ConnectionState, MessengerApi } from "@parley/client";
import { EXIT_NOT_ALLOWED, EXIT_TRY_AGAIN, EXIT_UNREACHABLE, ExitError } from "./exit-status.ts";

/** Long enough for a server that is just starting again, short enough for a person. */
const PATIENCE_MS = 5_000;

/** Resolves once connected and caught up; fails with 69 where there is no server to talk to. */
export async function connect(messenger: MessengerApi): Promise<void> {
  messenger.start();
  await whileReachable(messenger, messenger.caughtUp());
}

/** For what is also of use without the server. */
export async function tryToConnect(messenger: MessengerApi): Promise<boolean> {
  try {
    await connect(messenger);
    return true;
  } catch (cause) {
    if (cause instanceof ExitError && cause.status === EXIT_UNREACHABLE) return false;
    throw cause;
  }
}

/** The outcome of work that needs the server, unless there is none for as long as we have patience. */
export async function whileReachable<T>(messenger: MessengerApi, work: Promise<T>): Promise<T> {
  const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
  let timer = setTimeout(onPatienceLost, PATIENCE_MS);
  const unsubscribe = messenger.on((event) => {
    if (event.type !== "connection") return;
    if (event.state.kind === "ended") giveUp(endedError(event.state.reason));
  });
  function onPatienceLost(): void {
    const { kind } = messenger.connectionState;
    if (kind === "offline" || kind === "connecting")
      giveUp(new ExitError(EXIT_UNREACHABLE, "the server cannot be reached"));
    else timer = setTimeout(onPatienceLost, PATIENCE_MS);
  }
  try {
    return await Promise.race([work, given]);
  } finally {
    clearTimeout(timer);
    unsubscribe();
    work.catch(() => {}); // Where patience ended first, its own failure is told to nobody.
  }
}

type EndReason = Extract<ConnectionState, { kind: "ended" }>["reason"];

export function endedError(reason: EndReason): ExitError {
  switch (reason) {
    case "replaced":
      return new ExitError(EXIT_TRY_AGAIN, "another process connected as this device");
    case "login-refused":
      return new ExitError(EXIT_NOT_ALLOWED, "the server does not let this device in");
    case "device-removed":
      return new ExitError(EXIT_NOT_ALLOWED, "this device was removed from its account");
    case "version-not-supported":
      return new ExitError(EXIT_UNREACHABLE, "this server speaks another version of the protocol");
  }
}
