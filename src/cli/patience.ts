/**
 * Trying again. A broker that is killed and started again is away for a while; a stream outlives
 * that.
 *
 *     attempt ──ok──▶ done
 *        ├──refused for good──▶ thrown
 *        └──may pass──▶ wait (doubling, with jitter) ──▶ attempt
 *                         └──longer than giveUpMs without success──▶ thrown
 *
 * @module
 */
import type { Host } from "../ports/host.ts";
import { RefusedError, UnreachableError } from "./failure.ts";

/** How long a stream outlives its broker unless told otherwise: a restart, with room to spare. */
export const streamGiveUpMs = 60_000;
const firstDelayMs = 50;
const delayMsMax = 1000;

/** How long to go on, and who wants to know. */
export type Patience = {
  /** Time without success after which the last failure is final. */
  readonly giveUpMs: number;
  /** Aborted: no further attempt is made. */
  readonly stop?: AbortSignal;
  /** Told before each wait. */
  readonly onRetry?: (failure: RefusedError | UnreachableError) => void;
};

/**
 * Runs `attempt` until it succeeds.
 *
 * @throws {RefusedError | UnreachableError} It cannot succeed, or did not in time, or was stopped.
 */
export async function persist<T>(
  host: Pick<Host, "clock" | "sleep" | "randomBytes">,
  patience: Patience,
  attempt: () => Promise<T>,
): Promise<T> {
  const beganMs = host.clock.monotonicMs();
  for (let tries = 0;; tries++) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!mayPass(thrown) || patience.stop?.aborted) throw thrown;
      const delayMs = jittered(host, Math.min(delayMsMax, firstDelayMs * 2 ** tries));
      if (host.clock.monotonicMs() + delayMs - beganMs > patience.giveUpMs) throw thrown;
      patience.onRetry?.(thrown);
      await host.sleep(delayMs, patience.stop);
    }
  }
}

/** Whether a failed request may have been carried out nevertheless. */
export function outcomeUnknown(failure: RefusedError | UnreachableError): boolean {
  if (failure instanceof UnreachableError) return failure.reached;
  return !refusedBeforeWork.has(failure.code);
}

/** Codes that say nothing was stored. */
const refusedBeforeWork = new Set(["too_busy", "disk_full", "shutting_down"]);

function mayPass(thrown: unknown): thrown is RefusedError | UnreachableError {
  return thrown instanceof UnreachableError || (thrown instanceof RefusedError && thrown.retriable);
}

/** Between half and all of `delayMs`, so that many clients do not come back as one. */
function jittered(host: Pick<Host, "randomBytes">, delayMs: number): number {
  const [byte = 0] = host.randomBytes(1);
  return delayMs * (0.5 + byte / 510);
}
