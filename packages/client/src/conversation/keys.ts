import type { KeyRange } from "../ports/client-store.ts";

/**
 * Keys of the rows of conversations. Ids are lower-case hex and numbers hex of fixed width, so that the
 * order of keys is the order of what they say. A conversation is the other account's id.
 */
export interface EntryPoint {
  readonly conversation: string;
  readonly chain: string;
  readonly counter: number;
}

export const chainKey = (conversation: string, chain: string) => `${conversation}/${chain}`;

export const entryKey = ({ conversation, chain, counter }: EntryPoint) =>
  `${conversation}/${chain}/${hex32(counter)}`;

/** By id first: who asks for a message does not always know its account. */
export const messageKey = (messageId: string, accountId: string) => `${messageId}/${accountId}`;

/** The order of the screen (delivery.md 2): place, account, device, chain; of one chain by counter. */
export interface ScreenPoint extends EntryPoint {
  readonly place: number;
  readonly accountId: string;
  readonly deviceId: number;
}

export const placedKey = (point: ScreenPoint) => `placed/${point.conversation}/${screenKey(point)}`;

export const screenKey = ({ place, accountId, deviceId, chain, counter }: ScreenPoint) =>
  `${hex32(place)}/${accountId}/${hex8(deviceId)}/${chain}/${hex32(counter)}`;

export function pointOfPlacedKey(key: string): ScreenPoint {
  const [, conversation, place, accountId, device, chain, counter] = key.split("/") as string[];
  return {
    conversation: conversation as string,
    place: fromHex32(place),
    accountId: accountId as string,
    deviceId: fromHex32(device),
    chain: chain as string,
    counter: fromHex32(counter),
  };
}

/** Entries whose place is not known yet. */
export const looseKey = (point: EntryPoint) => `loose/${entryKey(point)}`;

export function pointOfLooseKey(key: string): EntryPoint {
  const [, conversation, chain, counter] = key.split("/") as string[];
  return {
    conversation: conversation as string,
    chain: chain as string,
    counter: fromHex32(counter),
  };
}

/** `waiter` hangs on `missing`, of the same conversation. */
export const waitKey = (missing: EntryPoint, waiter: EntryPoint) =>
  `wait/${entryKey(missing)}/${waiter.chain}/${hex32(waiter.counter)}`;

export function waiterOfKey(key: string): EntryPoint {
  const [, conversation, , , chain, counter] = key.split("/") as string[];
  return {
    conversation: conversation as string,
    chain: chain as string,
    counter: fromHex32(counter),
  };
}

export const placedRange = (conversation: string) => under(`placed/${conversation}/`);
export const placedFrom = (conversation: string, place: number): KeyRange => ({
  ...placedRange(conversation),
  from: `placed/${conversation}/${hex32(place)}`,
});
export const looseRange = (conversation: string) => under(`loose/${conversation}/`);
export const everyLoose = under("loose/");
export const waitersOf = (missing: EntryPoint) => under(`wait/${entryKey(missing)}/`);

/** All keys that begin with this. `~` stands above everything that keys are made of. */
export function under(prefix: string): KeyRange {
  return { from: prefix, before: `${prefix}~` };
}

export function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function hex8(value: number): string {
  return value.toString(16).padStart(2, "0");
}

function fromHex32(text: string | undefined): number {
  return Number.parseInt(text as string, 16);
}
