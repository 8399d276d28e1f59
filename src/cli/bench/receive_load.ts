/** Receives and acknowledges over HTTP as fast as answers come. @module */
import type { Host } from "../../ports/host.ts";
import { isObject, listAt } from "../api_client.ts";
import { RefusedError } from "../failure.ts";
import { HttpConnection, httpRequest } from "./http_load.ts";
import { measure, sendRequest } from "./send_load.ts";
import { type Address, openLine } from "./sockets.ts";
import { type LoadReport, LoadTally, reportOf } from "./tally.ts";

const fillBatch = 256;
const receiveWaitMs = 1000;
const receiveInvisibleMs = 60_000;

/** A load of receives. */
export type ReceiveLoadSpec = {
  readonly address: Address;
  readonly connections: number;
  readonly topic: string;
  readonly group: string;
  readonly bodyBytes: number;
  readonly batch: number;
  readonly fill: number;
  readonly seconds: number;
  readonly warmup: number;
};

/**
 * Fills the topic, then empties it. A backlog that runs out before the time is over ends the load
 * early, so that waiting is not measured.
 *
 * @throws {UnreachableError} Nobody accepts connections.
 * @throws {RefusedError} The broker refused to take the backlog.
 */
export async function receiveLoad(host: Host, spec: ReceiveLoadSpec): Promise<LoadReport> {
  const lines = await Promise.all(
    Array.from({ length: spec.connections }, () => openLine(spec.address)),
  );
  const connections = lines.map((line) => new HttpConnection(line));
  await fill(connections, spec);
  const tally = new LoadTally();
  const dry = new AbortController();
  const receivers = connections.map((connection, at) => {
    return receiver({ host, connection, spec, tally, dry }, at);
  });
  // A backlog that is gone ends the waiting; the time until then is what counts.
  const sleep: Host["sleep"] = (delayMs, stop) =>
    host.sleep(delayMs, stop ? AbortSignal.any([stop, dry.signal]) : dry.signal);
  const measuring: Host = { ...host, sleep };
  const tookMs = await measure(measuring, receivers, tally, spec);
  for (const line of lines) line.destroy();
  const { batch, bodyBytes } = spec;
  const settings = { connections: spec.connections, batch, "body bytes": bodyBytes };
  return reportOf(tally, tookMs, { name: "http receive + ack", unit: "messages", settings });
}

async function fill(connections: readonly HttpConnection[], spec: ReceiveLoadSpec): Promise<void> {
  let left = spec.fill;
  const work = async (connection: HttpConnection) => {
    while (left > 0) {
      const batch = Math.min(fillBatch, left);
      left -= batch;
      const { status, body } = await connection.ask(sendRequest({ ...spec, batch }));
      if (status >= 300) {
        const told = body.toString("utf8", 0, 200);
        throw new RefusedError(`http_${status}`, `The backlog was refused: ${told}`, false);
      }
    }
  };
  await Promise.all(connections.map(work));
}

type Parts = {
  readonly host: Host;
  readonly connection: HttpConnection;
  readonly spec: ReceiveLoadSpec;
  readonly tally: LoadTally;
  readonly dry: AbortController;
};

function receiver({ host, connection, spec, tally, dry }: Parts, at: number) {
  const base = `/v1/topics/${encodeURIComponent(spec.topic)}/groups/` +
    encodeURIComponent(spec.group);
  const wish = {
    max: spec.batch,
    waitMs: receiveWaitMs,
    invisibleMs: receiveInvisibleMs,
    clientId: `curlew-bench-${at}`,
  };
  const request = httpRequest(spec.address, "POST", `${base}/receive`, JSON.stringify(wish));
  let running = false;
  let loop = Promise.resolve();
  const round = async () => {
    const beganMs = host.clock.monotonicMs();
    const received = await connection.ask(request);
    if (received.status >= 300) throw new Error(`receive: status ${received.status}`);
    const answer: unknown = JSON.parse(received.body.toString("utf8"));
    const receipts = listAt(answer, "messages").map(({ receipt }) => receipt);
    if (receipts.length === 0) {
      if (isObject(answer) && spec.fill > 0) dry.abort();
      return;
    }
    const acks = JSON.stringify({ receipts });
    const acked = await connection.ask(httpRequest(spec.address, "POST", `${base}/ack`, acks));
    if (acked.status >= 300) throw new Error(`ack: status ${acked.status}`);
    tally.success(receipts.length, host.clock.monotonicMs() - beganMs);
  };
  const run = async () => {
    try {
      while (running) await round();
    } catch (thrown) {
      tally.failure(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  return {
    start: () => {
      running = true;
      loop = run();
    },
    stop: () => {
      running = false;
      return loop;
    },
  };
}
