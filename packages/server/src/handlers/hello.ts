import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  CLIENT_FRAME_BYTES_MAX,
  ErrorCode,
  type HelloRequest,
  type Login,
  ProtocolError,
  toHex,
  type WelcomeSchema,
  type Window,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import { wireHead } from "../core/device-list.ts";
import { DeviceSession } from "../core/device-session.ts";
import { checkLogin, type Visitor } from "../core/login.ts";
import type { Outlet } from "../core/outlet.ts";
import { requireVersion } from "../core/version.ts";
import type { Account, ListedDevice } from "../ports/account-store.ts";
import type { DeviceAddress } from "../ports/device-address.ts";
import type { SessionNumber } from "../ports/session-registry.ts";

/** The longest ciphertext that the schema allows. */
const CIPHERTEXT_BYTES_MAX = 98_304;
/**
 * Re-offers of all accounts together: one account in 2 ms leaves more than half of what a small machine
 * accepts to everybody else.
 */
const REOFFER_MS_PER_ACCOUNT = 2;
const REOFFER_MS_MAX = 10 * 60 * 1000;
/** Another device may have gone by then. */
const CLAIM_AGAIN_MS = 60_000;

export interface Greeted {
  readonly session: DeviceSession;
  readonly welcome: MessageInitShape<typeof WelcomeSchema>;
}

/**
 * Logs a device in. An account that is not known here is NOT_FOUND, and the connection stays: the client may
 * return with its receipt (delivery.md 5).
 */
export async function hello(
  context: Context,
  visitor: Visitor & { readonly outlet: Outlet },
  request: HelloRequest,
): Promise<Greeted> {
  const version = requireVersion(request.version);
  const login = request.login as Login; // The schema requires it, and the window.
  const window = request.window as Window;
  const accountId = toHex(login.accountId);
  const account = await context.accounts.find(accountId);
  if (account === undefined) throw new ProtocolError(ErrorCode.NOT_FOUND, "no such account");
  const device = await loggedIn(context, visitor, { login, devices: account.devices });
  // Behind the signature: nobody uses up the budget of another.
  await context.limits.spend("loginsPerMinute", accountId);

  const address = { accountId: account.accountId, deviceId: device.deviceId };
  const session = await DeviceSession.open(context, visitor.outlet, {
    address,
    number: await claim(context, address),
    device,
    head: account.head,
    window: { envelopes: window.envelopes, bytes: window.bytes },
  });
  try {
    const welcome = await welcomeOf(context, { account, session, request });
    return { session, welcome: { version, ...welcome } };
  } catch (cause) {
    session.close();
    throw cause;
  }
}

async function claim(
  { registry, settings, limits }: Context,
  address: DeviceAddress,
): Promise<SessionNumber> {
  const { connectionsPerAccountMax } = settings;
  let number = await registry.claim(address, connectionsPerAccountMax);
  if (number === undefined && !limits.refuses("connectionsPerAccountMax"))
    number = await registry.claim(address, Number.POSITIVE_INFINITY);
  if (number !== undefined) return number;
  throw new ProtocolError(
    ErrorCode.BUSY,
    `${connectionsPerAccountMax} other devices of this account are connected`,
    { retryAfterMs: CLAIM_AGAIN_MS },
  );
}

interface LoggingIn {
  readonly login: Login;
  readonly devices: readonly ListedDevice[];
}

/** Each wrong signature costs the server as much as a right one: an address may show only so many. */
async function loggedIn({ limits }: Context, visitor: Visitor, { login, devices }: LoggingIn) {
  const { addressKey } = visitor;
  if (addressKey === undefined) return checkLogin(visitor, login, devices);
  await limits.require("failedLoginsPerAddressPerMinute", addressKey);
  try {
    return checkLogin(visitor, login, devices);
  } catch (cause) {
    await limits.note("failedLoginsPerAddressPerMinute", addressKey);
    throw cause;
  }
}

interface Greeting {
  readonly account: Account;
  readonly session: DeviceSession;
  readonly request: HelloRequest;
}

async function welcomeOf(context: Context, { account, session, request }: Greeting) {
  const [mailbox, epochs, held, accounts] = await Promise.all([
    context.mailboxes.state(session.address),
    context.epochs.since(request.lastEpoch),
    heldPrekeys(context, session, request.prekeys?.lowestOneTimeId ?? 0),
    context.accounts.count(),
  ]);
  context.mailboxes.seen(session.address, request.stateNumber);
  return {
    sessionNumber: session.number,
    epochs: [...epochs],
    highestStateNumber: mailbox.highestStateNumber,
    serverTimeMs: BigInt(context.clock.now()),
    limits: limitsOf(context),
    reofferSpreadMs: Math.min(accounts * REOFFER_MS_PER_ACCOUNT, REOFFER_MS_MAX),
    skipped: mailbox.skipped,
    ownHead: wireHead(account.head),
    prekeys: held,
  };
}

/**
 * One-time prekeys below the lowest that the device still has went out before this server's data was put
 * back: nobody is given them again, from this hello on (I13).
 */
async function heldPrekeys(
  { prekeys }: Context,
  { address }: DeviceSession,
  lowestOfDevice: number,
) {
  const held = await prekeys.held(address);
  if (held.oneTimeCount === 0 || held.lowestOneTimeId >= lowestOfDevice) return held;
  const nothing = { signed: undefined, lastResort: undefined, oneTime: [] };
  try {
    return await prekeys.upload(address, { ...nothing, dropOneTimeBelow: lowestOfDevice });
  } catch (cause) {
    // On a full disk people still log in and read; no one-time prekey is given while nothing can be written.
    if (ProtocolError.from(cause).code !== ErrorCode.STORAGE_UNAVAILABLE) throw cause;
    return held;
  }
}

function limitsOf({ settings }: Context) {
  return {
    frameBytesMax: CLIENT_FRAME_BYTES_MAX,
    ciphertextBytesMax: CIPHERTEXT_BYTES_MAX,
    durableSendsPerMinute: settings.limits.durableSendsPerMinute,
    liveFramesPerMinute: settings.limits.liveFramesPerMinute,
    mailboxEnvelopesMax: settings.mailbox.envelopesMax,
  };
}
