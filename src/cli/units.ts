/** Times, sizes and counts as people read them; `quantities.ts` is for what they write. @module */

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
