/** One sender that waits for each answer: what a user without company sees. @module */
import type { Host } from "../../ports/host.ts";
import { sendLoad, type SendLoadSpec } from "./send_load.ts";
import type { Address } from "./sockets.ts";
import type { LoadReport } from "./tally.ts";

/** Where to send. A protocol without an address is left out. */
export type LoneTargets = {
  readonly remoting: Address;
  readonly http: Address | undefined;
};

/** Measures one protocol after the other. @throws {UnreachableError} Nobody accepts connections. */
export async function loneFigures(
  host: Host,
  spec: Pick<SendLoadSpec, "topic" | "queues" | "bodyBytes" | "seconds" | "warmup">,
  targets: LoneTargets,
): Promise<readonly LoadReport[]> {
  const reports: LoadReport[] = [];
  for (const protocol of ["remoting", "http"] as const) {
    const address = targets[protocol];
    if (!address) continue;
    const load = { ...spec, protocol, address, connections: 1, inFlight: 1, batch: 1 };
    reports.push(await sendLoad(host, load));
  }
  return reports;
}
