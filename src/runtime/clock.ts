/** The real clock. @module */
import type { Clock } from "../base/clock.ts";

/** The host's clock. Wall time may jump; monotonic time is the runtime's high-resolution timer. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
