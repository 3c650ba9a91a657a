import {
  entryHash,
  hkdfSha256,
  LABELS,
  safetyNumber,
  sealLive,
  signLogin,
} from "../../../packages/crypto/src/index.ts";
import { toHex } from "../../../packages/protocol/src/ids.ts";
import { fixed, type Person, run } from "./fixed.ts";

/** From a recovery secret to the first entry of the account's chain. */
export function accountVectors(person: Person) {
  const { recoverySecret, recoveryCode, recovered, rootKey, accountId, seed, keys } = person;
  const { body, signature } = person.first.entry;
  return {
    ...{ recoverySecret, recoveryCode, ...recovered, rootKey, accountId },
    device: {
      ...{ seed, deviceKey: keys.ed25519Public, scalar: keys.x25519Private },
      ...{ identity: keys.identity, deviceId: 1, registrationId: person.registrationId },
      ...{ consent: person.listed.consent, name: "laptop", sealedName: person.sealedName },
    },
    firstEntry: { body, signature, hash: entryHash(body) },
  };
}

export function loginVectors({ keys, accountId }: Person) {
  const body = { origin: "https://chat.example", challenge: fixed("challenge"), accountId, deviceId: 1 };
  return { ...body, signature: run(signLogin(keys, body)) };
}

export function safetyNumberVectors(alice: Person, bob: Person) {
  const { digits, code } = safetyNumber(alice, bob);
  return { digits, codeOfAlice: toHex(code) };
}

export function liveVectors(alice: Person, bob: Person) {
  const [key, id, nonce] = [fixed("live key"), fixed("live key id", 4), fixed("live nonce", 12)];
  const content = Uint8Array.of(0x08, 0x80, 0xd0, 0x95, 0xff, 0xbc, 0x31, 0x10, 0x01);
  const route = { senderAccount: alice.accountId, senderDevice: 1, recipient: bob.accountId };
  return { id, key, nonce, ...route, content, frame: sealLive({ id, key }, route, content, nonce) };
}

export function presenceVectors() {
  const key = fixed("profile key");
  const info = new TextEncoder().encode(LABELS.presenceToken);
  return { key, token: hkdfSha256({ ikm: key, info, length: 32 }) };
}
