/**
 * A text as people have them: short lines, empty lines, long lines, many alphabets. Seeded.
 *
 * @module
 */
import { Prng } from "../../src/base/prng.ts";

const words = [
  ...[
    "the",
    "order",
    "was",
    "paid",
    "curlew",
    "sand",
    "tide",
    "{}",
    '"quoted"',
    "a\tb",
    "\\n",
    "%",
  ],
  ...["Brachvogel", "größer", "naïve", "海鳥", "курлык", "שלום", "🐦", "e\u0301", "\u2028", "\r"],
] as const;
const longLineCharsMax = 60_000;

/**
 * `count` lines without their ends. The same seed gives the same lines. The last one is not empty:
 * an empty last line without an end would be no line.
 */
export function inputLines(seed: number, count: number): string[] {
  const prng = new Prng(seed);
  return Array.from({ length: count }, (_, at) => at === count - 1 ? "end" : lineOf(prng, at));
}

function lineOf(prng: Prng, at: number): string {
  const kind = prng.int(1000);
  // Equal lines must be told apart by what the broker stores, not by what they say.
  if (kind < 50) return "";
  if (kind < 60) return "the same line as others";
  if (kind === 60) return "x".repeat(prng.int(longLineCharsMax)) + at;
  const parts = [String(at)];
  for (let left = prng.between(1, 14); left > 0; left--) parts.push(prng.pick(words));
  return parts.join(" ");
}
