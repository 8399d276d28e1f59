/** Guards for what only a bug can break. What the world can do wrong is a `BrokerError`. @module */

/** A broken invariant. The thread that raises it stops: running on with broken state is worse. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/**
 * States an invariant.
 *
 * @throws {AssertionError} `condition` is false, which is a bug.
 */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new AssertionError(`Invariant broken: ${claim}`);
}

/**
 * Marks a branch the compiler proves empty, such as the default of a complete `switch`.
 *
 * @throws {AssertionError} Always.
 */
export function unreachable(value: never): never {
  throw new AssertionError(`Unreachable: ${JSON.stringify(value)}`);
}
