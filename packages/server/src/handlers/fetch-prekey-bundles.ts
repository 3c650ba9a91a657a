import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorCode,
  type FetchPrekeyBundlesRequest,
  type FetchPrekeyBundlesResponseSchema,
  type PrekeyBundleSchema,
  ProtocolError,
  toHex,
} from "@parley/protocol";
import type { Context } from "../context.ts";
import type { ListedDevice } from "../ports/account-store.ts";
import type { DeviceAddress } from "../ports/device-address.ts";
import type { ClaimedPrekeys } from "../ports/prekey-store.ts";

/** What the sender needs to begin sessions. Each one-time prekey in it is now the sender's alone. */
export async function fetchPrekeyBundles(
  { accounts, prekeys, limits }: Pick<Context, "accounts" | "prekeys" | "limits">,
  asker: DeviceAddress,
  { accountId: id, deviceIds }: FetchPrekeyBundlesRequest,
): Promise<MessageInitShape<typeof FetchPrekeyBundlesResponseSchema>> {
  await limits.spend("bundleFetchesPerMinute", asker.accountId);
  const accountId = toHex(id);
  const account = await accounts.find(accountId);
  if (account === undefined) throw new ProtocolError(ErrorCode.NOT_FOUND, "no such account");
  const wanted = new Map(
    account.devices
      .filter(({ deviceId }) => deviceIds.length === 0 || deviceIds.includes(deviceId))
      .map((device) => [device.deviceId, device]),
  );
  const claimed = await prekeys.claim(
    [...wanted.keys()].map((deviceId) => ({ accountId, deviceId })),
    (await limits.has("bundlesOfAccountPerHour", accountId)) ? "one-time" : "last-resort",
  );
  return {
    bundles: claimed.flatMap((each) => {
      const device = wanted.get(each.device.deviceId);
      return device === undefined ? [] : bundlesOf(device, each);
    }),
  };
}

/** None where there is no Kyber key at all: nobody can begin a session with that. */
function bundlesOf(
  { deviceId, registrationId }: ListedDevice,
  { signed, oneTime, lastResort }: ClaimedPrekeys,
): MessageInitShape<typeof PrekeyBundleSchema>[] {
  const base = { deviceId, registrationId, signedPrekey: signed };
  if (oneTime !== undefined) return [{ ...base, oneTimePrekey: oneTime }];
  if (lastResort !== undefined) return [{ ...base, lastResortPrekey: lastResort }];
  return [];
}
