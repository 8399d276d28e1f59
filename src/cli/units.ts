/** Times and sizes as people write them, both ways. @module */

const durations: Readonly<Record<string, number>> = {
  "": 1,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const sizes: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** `90`, `90ms`, `1.5s`, `10m`, `2h`, `7d` → whole milliseconds; `undefined` if it is none. */
export function parseDuration(text: string): number | undefined {
  return parseUnit(text, durations);
}

/** `4096`, `64KiB`, `10GB` → whole bytes; `undefined` if it is none. */
export function parseBytes(text: string): number | undefined {
  return parseUnit(text, sizes);
}

function parseUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const found = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text);
  const unit = found?.[2]?.toLowerCase() ?? "";
  if (!found || !Object.hasOwn(units, unit)) return undefined;
  const value = Number(found[1]) * units[unit]!;
  return Number.isSafeInteger(Math.round(value)) ? Math.round(value) : undefined;
}

/** Milliseconds, as exact as a person wants them: `950 ms`, `1.5 s`, `12 min`, `7 d`. */
export function showDuration(ms: number): string {
  if (ms < 1000) return `${roundTo(ms, 1)} ms`;
  if (ms < 120_000) return `${roundTo(ms / 1000, 1)} s`;
  if (ms < 7_200_000) return `${roundTo(ms / 60_000, 1)} min`;
  if (ms < 172_800_000) return `${roundTo(ms / 3_600_000, 1)} h`;
  return `${roundTo(ms / 86_400_000, 1)} d`;
}

/** Bytes: `512 B`, `1.5 KiB`, `10 GiB`. */
export function showBytes(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let at = 0;
  for (; value >= 1024 && at < names.length - 1; at++) value /= 1024;
  return `${roundTo(value, 1)} ${names[at]}`;
}

/** A number with its thousands set apart: `1,234,567`. */
export function showCount(count: number): string {
  return Math.round(count).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Milliseconds since 1970 as a time people read, in UTC. */
export function showTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

function roundTo(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
