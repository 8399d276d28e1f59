/**
 * Sets of keys as ranges. Keys are counted up and handed out in runs, so a hundred thousand of them
 * are a few ranges, which are short to send and quick to search.
 *
 * @module
 */

/** Inclusive first and last key of each run, in order: `[1, 4, 7, 7]` is 1 to 4, and 7. */
export type KeyRanges = readonly number[];

/** The ranges of these keys, which may come in any order and more than once. */
export function rangesOf(keys: Iterable<number>): KeyRanges {
  const ranges: number[] = [];
  for (const key of [...keys].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && key <= last + 1) ranges[ranges.length - 1] = key;
    else ranges.push(key, key);
  }
  return ranges;
}

/** Whether a key is in one of the ranges. */
export function isInRanges(ranges: KeyRanges, key: number): boolean {
  let [low, high] = [0, ranges.length / 2];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[2 * middle + 1] ?? 0) < key) low = middle + 1;
    else high = middle;
  }
  const first = ranges[2 * low];
  return first !== undefined && first <= key;
}
