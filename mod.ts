/**
 * Curlew inside a program: one broker, started and stopped.
 *
 * ```ts
 * import { startBroker } from "@curlew/broker";
 *
 * const broker = await startBroker({ data: "./data", httpPort: 0, remotingPort: 0 });
 * console.log(`http://${broker.ready.http}`, broker.ready.remoting);
 * // … clients connect, also those of this program …
 * await broker.stop();
 * ```
 *
 * It is the broker of `curlew serve`: what is sent to it outlives the process, and another process
 * cannot open the same directory meanwhile. Clients speak HTTP or RocketMQ's remoting protocol with
 * it; there is no second interface for the program it runs in.
 *
 * @module
 */
export { type BrokerConfig, startBroker } from "./src/front/embedded.ts";
export type { RunningBroker } from "./src/front/start.ts";
export { BrokerError } from "./src/model/errors.ts";
