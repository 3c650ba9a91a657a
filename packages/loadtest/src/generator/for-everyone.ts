import { type Account, accountOf } from "../parley/account.ts";

/** So that nobody waits longer for his login than a server allows. */
const AT_ONCE = 32;

/** Does it for every account of a world by number, a few at once, and keeps their order. */
export async function forEveryone<T>(
  { world, from, to }: { readonly world: string; readonly from: number; readonly to: number },
  act: (account: Account, index: number) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  let next = from;
  const work = async () => {
    for (let number = next++; number < to; number = next++)
      done[number - from] = await act(accountOf(world, number), number - from);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
}
