/** So that nobody waits longer for his login than a server allows. */
const AT_ONCE = 32;

/** Does it for every number, a few at once, and keeps their order. */
export async function forEveryone<T>(
  { from, to }: { readonly from: number; readonly to: number },
  act: (number: number) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  let next = from;
  const work = async () => {
    for (let number = next++; number < to; number = next++) done[number - from] = await act(number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
}
