import { type HandOver, toHex } from "@parley/protocol";
import { findContact, newContact, putContact } from "../contacts.ts";
import { newChain } from "../conversation/chain.ts";
import type { Ledger } from "../conversation/ledger.ts";
import type { Device } from "../device.ts";
import { takeOwnKeys } from "../presence/own-presence.ts";

export type HandOverTaking = Pick<Device, "directory" | "identity">;

/**
 * From another own device, while this one waits for it. True: it was the last of it, and this device may write.
 * What has come since is newer: it stays.
 */
export async function takeHandOver(
  { directory, identity }: HandOverTaking,
  ledger: Ledger,
  handed: HandOver,
): Promise<boolean> {
  if (identity.account?.awaitsHandOver !== true) return false;
  await takeContacts(directory, ledger, handed);
  await takeChains(ledger, handed);
  if (!handed.last) return false;
  const { backupKey, backupId, signUpReceipt } = handed;
  identity.takeSecrets(ledger.tx, { backupKey, backupId, signUpReceipt });
  if (handed.profileKey.length > 0 && handed.contactKey.length > 0)
    await takeOwnKeys(ledger.tx, {
      profileKey: { id: handed.profileKeyId, key: handed.profileKey },
      contactKey: { id: handed.contactKeyId, key: handed.contactKey },
    });
  return true;
}

async function takeContacts(
  directory: Device["directory"],
  { tx }: Ledger,
  { contacts }: HandOver,
): Promise<void> {
  for (const { accountId: id, handle, rootKey, head, ...record } of contacts) {
    const accountId = toHex(id);
    const { accepted, blocked, localName, verified } = record;
    const known = (await findContact(tx, accountId)) ?? newContact();
    putContact(tx, accountId, { ...known, accepted, blocked, localName, verified });
    const { era = 0, version = 0, hash: headHash = new Uint8Array() } = head ?? {};
    await directory.pin(tx, accountId, { handle, rootKey, era, version, headHash });
  }
}

/** Each chain begins here behind the entry that is told; of a chain that has come already its beginning is mended. */
async function takeChains(ledger: Ledger, { chains }: HandOver): Promise<void> {
  for (const { conversation: id, head, place } of chains) {
    if (head === undefined || head.counter === 0) continue;
    const conversation = toHex(id);
    const chain = toHex(head.chain);
    const start = head.counter + 1;
    const known = await ledger.chain(conversation, chain);
    if (known === undefined) {
      const author = { accountId: toHex(head.accountId), deviceId: head.deviceId };
      const begun = { ...newChain(author, start), placeBeforeStart: place, headHash: head.hash };
      ledger.addChain(conversation, chain, begun);
    } else if (known.start === start && known.placeBeforeStart === 0) {
      known.placeBeforeStart = place;
      ledger.changed(known);
    }
  }
}
