import { ProtocolError } from "@parley/protocol";
import { ConnectionLostError } from "../connection/connection-lost-error.ts";
import { ownAddress, type Parts, PREPARE_AGAIN_MS } from "../parts.ts";
import type { Lane } from "./lane.ts";

/** So many re-offered at once would leave too many skipped keys behind: they go on a new session. */
const REOFFERS_ON_ONE_SESSION_MAX = 1000;

export type Prepared =
  | "prepared"
  /** The connection was lost. */
  | "disconnected"
  /** Later again, after this long. */
  | { readonly againAfterMs: number }
  /** Definite. */
  | "account-gone"
  | "false-list";

/**
 * Network: the list of the account's devices, and a session with each and with each own other device. Runs
 * beside the sending to others: nobody waits for an account that has no keys yet.
 */
export async function prepareLane(parts: Parts, lane: Lane): Promise<Prepared> {
  try {
    return await prepare(parts, lane);
  } catch (cause) {
    if (cause instanceof ConnectionLostError) return "disconnected";
    if (!(cause instanceof ProtocolError)) throw cause;
    return { againAfterMs: cause.retryAfterMs ?? PREPARE_AGAIN_MS };
  }
}

async function prepare(parts: Parts, lane: Lane): Promise<Prepared> {
  const { directory, sessions, transactor } = parts.device;
  const known = await transactor.transact((tx) => directory.account(tx, lane.account));
  if (known === undefined) {
    const outcome = await directory.refresh(lane.account);
    if (outcome.kind === "unknown") return "account-gone";
    if (outcome.kind === "false-list") return "false-list";
  }
  const [theirs, others] = await transactor.transact(async (tx) => [
    await directory.addresses(tx, lane.account),
    lane.account === ownAddress(parts).accountId
      ? []
      : await directory.addresses(tx, ownAddress(parts).accountId),
  ]);
  const reoffers = lane.sendings.filter(({ item }) => item.reoffered).length;
  if (reoffers > REOFFERS_ON_ONE_SESSION_MAX)
    for (const address of theirs) await sessions.renew(address);
  const without = await sessions.fetchMissing([...theirs, ...others]);
  return without.length === 0 ? "prepared" : { againAfterMs: PREPARE_AGAIN_MS };
}
