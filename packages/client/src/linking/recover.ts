import {
  type AccountState,
  accountIdOf,
  DEVICE_SEED_BYTES,
  deriveDeviceKeys,
  deriveRecoveredKeys,
  ed25519PublicKey,
  makeDeviceEntry,
  parseRecoveryCode,
  sealDeviceName,
  signNextEra,
  signRecoveryLogin,
  verifyAccountChain,
} from "@parley/crypto";
import {
  type Challenge,
  DEVICES_PER_ACCOUNT_MAX,
  ErrorCode,
  equalBytes,
  ProtocolError,
  type SignedAccountEntry,
  type StartRecoveryResponse,
  toHex,
} from "@parley/protocol";
import { MessengerError, type RecoverOptions } from "../api.ts";
import { askOnce } from "../connection/ask-once.ts";
import type { ChannelParts } from "../connection/channel.ts";
import { versionWith } from "../connection/login.ts";
import { originOf } from "../connection/origin.ts";
import type { Identity } from "../identity/identity.ts";
import { drawRegistrationId } from "../identity/sign-up-material.ts";
import type { CryptoRunner } from "../ports/crypto-runner.ts";
import type { Random } from "../ports/random.ts";
import { nextDeviceId } from "./next-device-id.ts";

export interface RecoverParts {
  readonly channel: ChannelParts;
  readonly identity: Pick<Identity, "adopt">;
  readonly crypto: CryptoRunner;
  readonly random: Random;
}

export interface Recovered {
  readonly accountId: string;
  readonly handle: string;
  readonly deviceId: number;
}

const NONCE_BYTES = 12;
/** A device of the account, perhaps a thief's, changes its list at the same moment. */
const ATTEMPTS = 4;

/**
 * The root, which is who has the code, begins the next era of the account: with this device alone, unless the others
 * are to stay (trust.md 2). Whoever was listed without the owner's will is out; the safety number stays.
 */
export async function recover(
  parts: RecoverParts,
  { code, keepDevices = false, deviceName = "" }: RecoverOptions,
): Promise<Recovered> {
  const { crypto, random, identity } = parts;
  const parsed = parseRecoveryCode(code);
  if (parsed.kind === "mistyped")
    throw new MessengerError(
      "invalid-recovery-code",
      `a recovery code is mistyped: ${parsed.problem}`,
    );
  const { rootSeed, backupKey, backupId } = deriveRecoveredKeys(parsed.secret);
  parsed.secret.fill(0);
  try {
    const rootKey = await crypto.run(ed25519PublicKey(rootSeed));
    const accountId = accountIdOf(rootKey);
    const seed = random(DEVICE_SEED_BYTES);
    const keys = await crypto.run(deriveDeviceKeys(seed));
    const registrationId = drawRegistrationId(random);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const started = await start(parts, rootSeed, rootKey);
      const { entries, handle, receipt: signUpReceipt } = started;
      const state = await stateOf(parts, accountId, entries);
      const listed = keepDevices ? state.devices : [];
      if (listed.length >= DEVICES_PER_ACCOUNT_MAX)
        throw new MessengerError("too-many-devices", "all places of the account's list are taken");
      const deviceId = nextDeviceId(
        entries,
        state.devices.map((device) => device.deviceId),
      );
      const nameKey = { backupKey, accountId, deviceId };
      const sealedName = sealDeviceName(nameKey, deviceName, random(NONCE_BYTES));
      const listedAs = { accountId, deviceId, registrationId, sealedName };
      const own = await crypto.run(makeDeviceEntry(keys, listedAs));
      const { entry } = await crypto.run(signNextEra(rootSeed, state, [...listed, own]));
      const answer = await askOnce(parts.channel, "appendAccountEntry", async () => ({ entry }));
      if (answer.outcome.case !== "accepted") continue;
      const device = { seed, registrationId, accountId, deviceId, rootKey, deviceName };
      const account = { handle, signUpReceipt, backupKey, backupId };
      await identity.adopt({ ...device, ...account }, [entry]);
      return { accountId: toHex(accountId), handle, deviceId };
    }
    throw new MessengerError("try-again-later", "the account's list of devices keeps changing");
  } finally {
    rootSeed.fill(0);
  }
}

async function start(
  { channel, crypto }: RecoverParts,
  rootSeed: Uint8Array,
  rootKey: Uint8Array,
): Promise<StartRecoveryResponse> {
  const origin = originOf(channel.serverUrl);
  return await askOnce(channel, "startRecovery", async (challenge: Challenge) => {
    const login = { origin, challenge: challenge.nonce };
    const signature = await crypto.run(signRecoveryLogin(rootSeed, login));
    return { version: versionWith(challenge), origin, rootKey, signature };
  }).catch((cause: unknown) => {
    if (!(cause instanceof ProtocolError) || cause.code !== ErrorCode.NOT_FOUND) throw cause;
    throw new MessengerError("unknown-account", "this server has no account of that code", {
      cause,
    });
  });
}

/** The server may show an older list, and has then that one overruled: nothing else comes of it. */
async function stateOf(
  { crypto }: RecoverParts,
  accountId: Uint8Array,
  entries: readonly SignedAccountEntry[],
): Promise<AccountState> {
  const verdict = await crypto.run(verifyAccountChain({ accountId, entries }));
  if (verdict.kind === "valid" && equalBytes(verdict.state.accountId, accountId))
    return verdict.state;
  throw new MessengerError("not-allowed", "what the server gives is no list of this account");
}
