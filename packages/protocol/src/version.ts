/** The versions of the protocol that this code speaks. Both sides use the highest that they have in common. */
export const PROTOCOL_VERSION_MIN = 1;
export const PROTOCOL_VERSION_MAX = 1;

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** Undefined: none in common. */
export function negotiateVersion(ours: VersionRange, theirs: VersionRange): number | undefined {
  const highest = Math.min(ours.max, theirs.max);
  return highest >= Math.max(ours.min, theirs.min) ? highest : undefined;
}
