/**
 * A line on a terminal that is drawn over while a stream runs. Where nobody looks it draws nothing.
 *
 * @module
 */
import { safeText } from "../base/log.ts";
import type { Host } from "../ports/host.ts";
import { showCount, showDuration } from "./units.ts";

const drawEveryMs = 200;
const barWidth = 24;
const usualColumns = 80;
const clearLine = "\r\u001b[K";

/** What the line says. `fraction` is given where the whole is known. */
export type ProgressState = {
  readonly done: number;
  readonly fraction: number | undefined;
  readonly trouble: string | undefined;
};

/** Draws `read()` until the returned function is called; that clears the line. */
export function showProgress(
  host: Pick<Host, "err" | "clock" | "every">,
  read: () => ProgressState,
): () => Promise<void> {
  if (!host.err.isTerminal) return () => Promise.resolve();
  const beganMs = host.clock.monotonicMs();
  let drawn = Promise.resolve();
  const end = host.every(drawEveryMs, () => {
    const text = progressLine(read(), host.clock.monotonicMs() - beganMs, host.err.columns);
    // A terminal that went away is noticed by the command's own output; the line is an ornament.
    drawn = host.err.write(clearLine + text).catch(() => {});
  });
  return async () => {
    end();
    await drawn;
    await host.err.write(clearLine);
  };
}

/** The line: count, rate, bar, time left, and what is wrong, cut to the terminal. */
export function progressLine(state: ProgressState, tookMs: number, columns: number): string {
  const { done, fraction, trouble } = state;
  const parts = [`${showCount(done)} sent`, `${showCount(rate(done, tookMs))}/s`];
  if (fraction !== undefined) {
    const filled = Math.round(Math.min(1, fraction) * barWidth);
    const bar = "=".repeat(filled).padEnd(barWidth);
    parts.push(`[${bar}] ${Math.floor(fraction * 100)} %`);
    const leftMs = tookMs / fraction - tookMs;
    if (fraction > 0 && fraction < 1) parts.push(`${showDuration(leftMs)} left`);
  }
  if (trouble) parts.push(`waiting: ${safeText(trouble)}`);
  // Terminals that do not know their width say 0.
  return parts.join("  ").slice(0, Math.max(10, (columns || usualColumns) - 1));
}

/** Things a second. */
export function rate(count: number, tookMs: number): number {
  return tookMs <= 0 ? 0 : count * 1000 / tookMs;
}
