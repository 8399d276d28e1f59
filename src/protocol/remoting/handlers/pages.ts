/** What the two lists of settings, topics and groups, have in common. @module */

type Versioned = { readonly name: string; readonly version: number; readonly createdMs: number };

/** A page of a list in the order of names; everything from `first` on if there is no size. */
export function pageOf<T extends Versioned>(
  all: readonly T[],
  first = 0,
  countMax?: number,
): readonly T[] {
  const sorted = [...all].sort((a, b) => a.name < b.name ? -1 : 1);
  const start = Math.max(0, first);
  const hasSize = countMax !== undefined && countMax > 0;
  return sorted.slice(start, hasSize ? start + countMax : undefined);
}

/** Changes whenever one of them does: readers keep what they have while it stays the same. */
export function dataVersion(all: readonly Versioned[]) {
  const counter = all.reduce((newest, each) => Math.max(newest, each.version), 0);
  const timestamp = all.reduce((newest, each) => Math.max(newest, each.createdMs), 0);
  return { counter, stateVersion: 0, timestamp };
}
