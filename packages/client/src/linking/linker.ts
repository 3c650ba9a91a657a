import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AccountState,
  CryptoError,
  deriveLinkKeys,
  isCommittedTo,
  type LinkKeys,
  linkDigits,
  parseLinkCode,
  sealDeviceName,
  signDeviceEntry,
  x25519PublicKey,
} from "@parley/crypto";
import {
  AccountChangeSchema,
  DEVICES_PER_ACCOUNT_MAX,
  DeviceEntrySchema,
  fromHex,
  LinkAccountSchema,
  LinkAnswerSchema,
  type LinkConsent,
  LinkConsentSchema,
  LinkDoneSchema,
  type LinkOffer,
  LinkOfferSchema,
} from "@parley/protocol";
import { type Linking, MessengerError } from "../api.ts";
import { ConnectionLostError } from "../connection/connection-lost-error.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { onLedger, ownAddress, type Parts } from "../parts.ts";
import type { CryptoRunner } from "../ports/crypto-runner.ts";
import { handOverDue, noteHandOverDue } from "./hand-over.ts";
import { MeetingPlace } from "./meeting-place.ts";
import { nextDeviceId } from "./next-device-id.ts";
import { decodeStep, openStep, requireSameDigits, STEP, sealStep } from "./steps.ts";

export interface LinkerParts extends Parts {
  readonly crypto: CryptoRunner;
  readonly outbox: Outbox;
}

const EPHEMERAL_BYTES = 32;
const NONCE_BYTES = 12;
/** The new device has left its keys before it shows its code. */
const OFFER_PATIENCE_MS = 2_000;

/** Takes in the device that shows the code: digits first, then its entry, then everything else (trust.md 3). */
export async function linkDevice(
  parts: LinkerParts,
  typed: string,
): Promise<Linking<{ readonly deviceId: number }>> {
  const parsed = parseLinkCode(typed);
  if (parsed.kind === "mistyped")
    throw new MessengerError(
      "invalid-link-code",
      `a code has 52 letters and digits: ${parsed.problem}`,
    );
  const { code } = parsed;
  const { crypto, random, clock, device } = parts;
  const { connection, identity } = device;
  const place = new MeetingPlace(
    {
      put: (step) => connection.request("putLinkStep", step),
      take: (step) => connection.request("takeLinkStep", step),
    },
    code.address,
    clock,
  );
  const offer = decodeStep(LinkOfferSchema, await place.take(STEP.OFFER, OFFER_PATIENCE_MS));
  if (!isCommittedTo(code, offer))
    throw new MessengerError(
      "not-allowed",
      "somebody else has answered in place of the new device",
    );
  const { accountId, deviceId } = await placeFor(parts);
  const ephemeralPrivate = random(EPHEMERAL_BYTES);
  const ephemeralKey = await crypto.run(x25519PublicKey(ephemeralPrivate));
  const ephemerals = { newDevice: offer.ephemeralKey, linker: ephemeralKey };
  const keys = await crypto.run(deriveLinkKeys(ephemeralPrivate, offer.ephemeralKey, ephemerals));
  const handle = identity.account?.handle ?? "";
  const account = create(LinkAccountSchema, { accountId, deviceId, handle });
  const sealing = { key: keys.toNewDevice, step: STEP.ANSWER, random };
  const sealed = sealStep(sealing, LinkAccountSchema, account);
  const answer = create(LinkAnswerSchema, { ephemeralKey, sealed });
  await place.put(STEP.ANSWER, toBinary(LinkAnswerSchema, answer));
  const { identityKey } = offer;
  const digits = linkDigits({ ...ephemerals, accountId, identityKey });
  return {
    digits: async () => digits,
    confirm: async (typedDigits) => {
      requireSameDigits(digits, typedDigits);
      const opening = { key: keys.toLinker, step: STEP.CONSENT };
      const consent = openStep(opening, LinkConsentSchema, await place.take(STEP.CONSENT));
      await device.transactor.transact(async (tx) => noteHandOverDue(tx, deviceId));
      await takeIn(parts, { offer, consent, deviceId });
      await tellDone(parts, place, keys);
      await connection
        .drain()
        .then(() => onLedger(parts, (ledger) => handOverDue(parts, ledger)))
        .catch((cause: unknown) => {
          // The next connection begins with a drain, and goes on from there.
          if (!(cause instanceof ConnectionLostError)) throw cause;
        });
      return { deviceId };
    },
  };
}

async function placeFor(parts: LinkerParts) {
  const { directory, transactor } = parts.device;
  const { accountId } = ownAddress(parts);
  const [account, entries] = await transactor.transact(async (tx) => [
    await directory.account(tx, accountId),
    await directory.ownEntries(tx, accountId),
  ]);
  if ((account?.devices.length ?? 0) >= DEVICES_PER_ACCOUNT_MAX)
    throw new MessengerError(
      "too-many-devices",
      `an account has at most ${DEVICES_PER_ACCOUNT_MAX} devices: remove one first`,
    );
  const deviceId = nextDeviceId(
    entries,
    account?.devices.map(({ address }) => address.deviceId),
  );
  return { accountId: fromHex(accountId), deviceId };
}

interface NewDevice {
  readonly offer: LinkOffer;
  readonly consent: LinkConsent;
  readonly deviceId: number;
}

/** The entry that lists it, at the server. */
async function takeIn(
  { device, random }: LinkerParts,
  { offer, consent: { consent, deviceName }, deviceId }: NewDevice,
): Promise<void> {
  const { directory, identity } = device;
  const { backupKey } = identity.sharedSecrets();
  const { accountId, deviceId: ownDevice } = identity.account as NonNullable<
    typeof identity.account
  >;
  const nameKey = { backupKey, accountId: fromHex(accountId), deviceId };
  const { identityKey, registrationId } = offer;
  const entry = create(DeviceEntrySchema, {
    ...{ deviceId, identityKey, registrationId, consent },
    sealedName: sealDeviceName(nameKey, deviceName, random(NONCE_BYTES)),
  });
  const change = create(AccountChangeSchema, { change: { case: "addDevice", value: entry } });
  const signer = { deviceId: ownDevice, keys: identity.keys };
  try {
    await directory.changeOwn((state: AccountState) => signDeviceEntry(signer, state, [change]));
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new MessengerError("not-allowed", `the new device cannot be listed: ${cause.message}`, {
      cause,
    });
  }
}

async function tellDone(parts: LinkerParts, place: MeetingPlace, keys: LinkKeys): Promise<void> {
  const { directory, identity, transactor } = parts.device;
  const { accountId } = ownAddress(parts);
  const entries = await transactor.transact((tx) => directory.ownEntries(tx, accountId));
  const { signUpReceipt } = identity.sharedSecrets();
  const done = create(LinkDoneSchema, { entries: [...entries], signUpReceipt });
  const sealing = { key: keys.toNewDevice, step: STEP.DONE, random: parts.random };
  await place.put(STEP.DONE, sealStep(sealing, LinkDoneSchema, done));
}
