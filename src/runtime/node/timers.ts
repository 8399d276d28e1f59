/** Timers of the host. @module */
import type { Cancel, Timers } from "../../ports/timers.ts";

/** What a 32-bit timer holds: a longer delay is waited for in parts. */
const partMsMax = 2 ** 31 - 1;

/** The host's timers. One that is left behind keeps the process alive, and so shows itself. */
export const systemTimers: Timers = { setTimer, immediate };

function setTimer(delayMs: number, fn: () => void): Cancel {
  let timer: ReturnType<typeof setTimeout>;
  const arm = (leftMs: number): void => {
    const partMs = Math.min(Math.max(leftMs, 0), partMsMax);
    timer = setTimeout(() => leftMs > partMs ? arm(leftMs - partMs) : fn(), partMs);
  };
  arm(delayMs);
  return () => clearTimeout(timer);
}

function immediate(fn: () => void): Cancel {
  const handle = setImmediate(fn);
  return () => clearImmediate(handle);
}
