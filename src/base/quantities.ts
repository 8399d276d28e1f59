/** Times and sizes as people write them in settings and on command lines. @module */

const durationUnits: Readonly<Record<string, number>> = {
  "": 1,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const byteUnits: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** `90`, `90ms`, `1.5s`, `10m`, `2h`, `7d` as whole milliseconds; `undefined` if it is none. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, durationUnits);
}

/** `4096`, `64KiB`, `10GB` as whole bytes; `undefined` if it is none. */
export function parseBytes(text: string): number | undefined {
  return parseQuantity(text, byteUnits);
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text);
  if (match === null) return undefined;
  const unit = (match[2] ?? "").toLowerCase();
  if (!Object.hasOwn(units, unit)) return undefined;
  const value = Math.round(Number(match[1]) * (units[unit] ?? NaN));
  return Number.isSafeInteger(value) ? value : undefined;
}
