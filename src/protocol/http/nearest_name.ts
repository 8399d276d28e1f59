/** The name that was perhaps meant. @module */

/** Further apart than this, two names are different words. */
const distanceMax = 3;
/** Names longer than this are not compared: the work grows with the square. */
const lengthMax = 127;

/**
 * The name nearest to `wanted`, at most three edits away and less than half of the word; equal but
 * for case comes first. `undefined` if nothing is near.
 */
export function nearestName(
  wanted: string,
  names: Iterable<{ readonly name: string }>,
): string | undefined {
  if (wanted.length > lengthMax) return undefined;
  const folded = wanted.toLowerCase();
  let nearest: string | undefined;
  let best = Math.min(distanceMax, Math.ceil(wanted.length / 2) - 1) + 1;
  for (const { name } of names) {
    if (Math.abs(name.length - wanted.length) >= best || name.length > lengthMax) continue;
    const distance = editDistance(folded, name.toLowerCase(), best);
    if (distance >= best) continue;
    best = distance;
    nearest = name;
    if (distance === 0) break;
  }
  return nearest;
}

/**
 * Levenshtein's distance, or `giveUp` when it is at least that: only the band beneath is computed.
 */
function editDistance(one: string, other: string, giveUp: number): number {
  let previous = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row++) {
    const current: number[] = new Array(other.length + 1).fill(giveUp);
    if (row < giveUp) current[0] = row;
    let least = current[0]!;
    const last = Math.min(other.length, row + giveUp);
    for (let column = Math.max(1, row - giveUp); column <= last; column++) {
      const change = previous[column - 1]! + (one[row - 1] === other[column - 1] ? 0 : 1);
      const value = Math.min(change, previous[column]! + 1, current[column - 1]! + 1);
      current[column] = value;
      if (value < least) least = value;
    }
    if (least >= giveUp) return giveUp;
    previous = current;
  }
  return Math.min(previous[other.length] ?? giveUp, giveUp);
}
