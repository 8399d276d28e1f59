/**
 * Ports for programs that cannot take any free one and say which: they are looked for here, and
 * bound by the program later, which may be half a minute on a busy machine.
 *
 * So they lie below those that a system gives to connections that go out, 32768 and more: whoever
 * connects meanwhile, anywhere on the machine, takes none of them.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

const portMin = 10_000;
const portEnd = 32_000;
const triesMax = 100;

/**
 * A port that nobody listens on at any address of the machine, nor on those at `distances` from
 * it.
 *
 * @throws {Error} None was found.
 */
export async function freePort(
  distances: readonly number[] = [],
  pick: () => number = () => randomInt(portMin, portEnd),
): Promise<number> {
  for (let tries = 0; tries < triesMax; tries++) {
    const port = pick();
    const tried = await Promise.all([0, ...distances].map((each) => isFree(port + each)));
    if (tried.every(Boolean)) return port;
  }
  throw new Error(`Cannot find a free port: ${triesMax} between ${portMin} and ${portEnd} are not`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
