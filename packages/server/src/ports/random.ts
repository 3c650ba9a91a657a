/** Random bytes fit for keys; seeded in simulations only. */
export type Random = (byteCount: number) => Uint8Array;
