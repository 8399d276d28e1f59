/** Points in time as people name them. @module */
import { UsageError } from "./failure.ts";
import { parseDuration } from "../base/quantities.ts";

/**
 * `2026-01-31T12:00:00Z`, milliseconds since 1970, or how long ago (`15m`) → milliseconds since
 * 1970.
 *
 * @throws {UsageError} It is none of them.
 */
export function parseMoment(text: string, flag: string, nowMs: number): number {
  if (/^\d{11,}$/.test(text)) return Number(text);
  const agoMs = /^\d+(\.\d+)?[a-z]+$/i.test(text) ? parseDuration(text) : undefined;
  if (agoMs !== undefined) return Math.max(0, nowMs - agoMs);
  const dateMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(dateMs)) return dateMs;
  throw new UsageError(
    `${flag} needs a time such as 2026-01-31T12:00:00Z, milliseconds since 1970, ` +
      `or how long ago as 15m; found "${text}".`,
  );
}

/**
 * The same for times to come: `15m` is in fifteen minutes.
 *
 * @throws {UsageError} It is none of them.
 */
export function parseDue(text: string, flag: string, nowMs: number): number {
  const inMs = /^\d+(\.\d+)?[a-z]+$/i.test(text) ? parseDuration(text) : undefined;
  return inMs === undefined ? parseMoment(text, flag, nowMs) : nowMs + inMs;
}
