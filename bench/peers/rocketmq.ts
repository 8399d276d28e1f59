/**
 * Apache RocketMQ as a peer: name server and broker from Maven, with default settings but for
 * addresses, directories, the flush, and a heap that leaves room for the load beside it.
 *
 * @module
 */
import { fetchServer, missingForServer, startServer } from "../../tests/interop/rocketmq/server.ts";
import type { Peer, RunningPeer } from "./peer.ts";

const version = "5.5.0";
const jvm = ["-Xms512m", "-Xmx512m"];

/** RocketMQ's two ways of answering a send. */
export type Flush = "ASYNC_FLUSH" | "SYNC_FLUSH";

/** RocketMQ with one of its two ways of flushing. */
export function rocketMqPeer(flush: Flush): Peer {
  return {
    name: `RocketMQ ${flush}`,
    answers: flush === "SYNC_FLUSH" ? "after fsync" : "before it is on disk",
    speaks: "remoting",
    missing: fetchRocketMq,
    start: (folder) => startRocketMq(folder, flush),
  };
}

/** Fetches the jars, once. Returns why that cannot be done, if so. */
async function fetchRocketMq(): Promise<string | undefined> {
  const missing = await missingForServer();
  if (missing !== undefined) return missing;
  try {
    await fetchServer(version);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function startRocketMq(folder: string, flushDiskType: Flush): Promise<RunningPeer> {
  const server = await startServer({ version, folder, settings: { flushDiskType }, jvm });
  return {
    nameServer: `127.0.0.1:${server.nameServerPort}`,
    address: { host: "127.0.0.1", port: server.brokerPort },
    stop: () => server.stop(),
  };
}
