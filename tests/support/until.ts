/** Waiting for what another process does: asked again until it is so, up to a deadline. @module */

const pauseMs = 50;

/** Waits a while. Only for tests whose other side is a real process. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/**
 * The first answer of `look` that is neither `undefined` nor `false`. What `look` throws counts as
 * "not yet": a broker that is away cannot be asked.
 *
 * @throws {Error} Nothing came in time. The message says what was waited for, and the last failure.
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  let last = "it was not so";
  while (performance.now() < endMs) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = "it was not so";
    } catch (thrown) {
      last = thrown instanceof Error ? thrown.message : String(thrown);
    }
    await pause(pauseMs);
  }
  throw new Error(`Waited ${deadlineMs} ms for ${what}: ${last}`);
}
