import { create, toBinary } from "@bufbuild/protobuf";
import {
  DEVICE_SEED_BYTES,
  deriveDeviceKeys,
  deriveLinkKeys,
  formatLinkCode,
  LINK_ADDRESS_BYTES,
  linkCodeFor,
  linkDigits,
  signConsent,
  verifyAccountChain,
  x25519PublicKey,
} from "@parley/crypto";
import {
  equalBytes,
  LinkAccountSchema,
  LinkAnswerSchema,
  LinkConsentSchema,
  LinkDoneSchema,
  LinkOfferSchema,
  toHex,
} from "@parley/protocol";
import { MessengerError, type OfferedDevice } from "../api.ts";
import type { Identity } from "../identity/identity.ts";
import { drawRegistrationId } from "../identity/sign-up-material.ts";
import type { Clock } from "../ports/clock.ts";
import type { CryptoRunner } from "../ports/crypto-runner.ts";
import type { Random } from "../ports/random.ts";
import { MeetingPlace, type StepRequests } from "./meeting-place.ts";
import { decodeStep, openStep, requireSameDigits, STEP, sealStep } from "./steps.ts";

export interface OfferParts {
  /** Without a login. */
  readonly requests: StepRequests;
  readonly identity: Pick<Identity, "adopt">;
  readonly crypto: CryptoRunner;
  readonly random: Random;
  readonly clock: Clock;
}

const EPHEMERAL_BYTES = 32;

/**
 * Makes keys, leaves them at a random address, and shows a code that names both (trust.md 3). Nothing is stored
 * before the account's list has this device.
 */
export async function offerDevice(
  parts: OfferParts,
  { deviceName = "" }: { readonly deviceName?: string },
): Promise<OfferedDevice> {
  const { crypto, random, clock, identity, requests } = parts;
  const seed = random(DEVICE_SEED_BYTES);
  const keys = await crypto.run(deriveDeviceKeys(seed));
  const registrationId = drawRegistrationId(random);
  const ephemeralPrivate = random(EPHEMERAL_BYTES);
  const ephemeralKey = await crypto.run(x25519PublicKey(ephemeralPrivate));
  const identityKey = keys.ed25519Public;
  const code = linkCodeFor(random(LINK_ADDRESS_BYTES), { ephemeralKey, identityKey });
  const place = new MeetingPlace(requests, code.address, clock);
  const offer = create(LinkOfferSchema, { ephemeralKey, identityKey, registrationId });
  await place.put(STEP.OFFER, toBinary(LinkOfferSchema, offer));

  const meet = async () => {
    const answer = decodeStep(LinkAnswerSchema, await place.take(STEP.ANSWER));
    const ephemerals = { newDevice: ephemeralKey, linker: answer.ephemeralKey };
    const derived = deriveLinkKeys(ephemeralPrivate, answer.ephemeralKey, ephemerals);
    const linkKeys = await crypto.run(derived);
    const sealed = { key: linkKeys.toNewDevice, step: STEP.ANSWER };
    const account = openStep(sealed, LinkAccountSchema, answer.sealed);
    const { accountId } = account;
    return { linkKeys, account, digits: linkDigits({ ...ephemerals, accountId, identityKey }) };
  };
  let meeting: ReturnType<typeof meet> | undefined;
  const met = () => {
    meeting ??= meet();
    return meeting;
  };

  return {
    code: formatLinkCode(code),
    digits: async () => (await met()).digits,
    confirm: async (typed) => {
      const { linkKeys, account, digits } = await met();
      requireSameDigits(digits, typed);
      const { accountId, deviceId, handle } = account;
      const consent = await crypto.run(signConsent(keys, { accountId, deviceId, registrationId }));
      const said = create(LinkConsentSchema, { consent, deviceName });
      const sealing = { key: linkKeys.toLinker, step: STEP.CONSENT, random };
      await place.put(STEP.CONSENT, sealStep(sealing, LinkConsentSchema, said));
      const opening = { key: linkKeys.toNewDevice, step: STEP.DONE };
      const done = openStep(opening, LinkDoneSchema, await place.take(STEP.DONE));
      const { entries, signUpReceipt } = done;
      const verdict = await crypto.run(verifyAccountChain({ accountId, entries }));
      const listed =
        verdict.kind === "valid" &&
        verdict.state.devices.some(
          (device) => device.deviceId === deviceId && equalBytes(device.identityKey, identityKey),
        );
      if (!listed) throw new MessengerError("not-allowed", "the account does not list this device");
      const { rootKey } = verdict.state;
      const linked = { seed, registrationId, accountId, deviceId, rootKey, handle, deviceName };
      await identity.adopt({ ...linked, signUpReceipt }, entries);
      return { accountId: toHex(accountId), handle, deviceId };
    },
  };
}
