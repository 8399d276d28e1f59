/** Sends as fast as answers come, over one of two protocols, and says how fast that was. @module */
import { Buffer } from "node:buffer";
import type { Host } from "../../ports/host.ts";
import { httpRequest } from "./http_load.ts";
import { HttpSender } from "./http_sender.ts";
import { RemotingSender } from "./remoting_load.ts";
import { type Address, type Line, openLine } from "./sockets.ts";
import { type LoadReport, LoadTally, reportOf } from "./tally.ts";

/** How long the end of a load waits for answers that are still out. */
const drainMsMax = 5000;

/** A load of sends. */
export type SendLoadSpec = {
  readonly protocol: string;
  readonly address: Address;
  readonly connections: number;
  readonly inFlight: number;
  readonly topic: string;
  readonly queues: number;
  readonly bodyBytes: number;
  readonly batch: number;
  readonly seconds: number;
  readonly warmup: number;
};

/** One connection at work. */
type Sender = { readonly start: () => void; readonly stop: () => Promise<void> };

/**
 * Runs the load.
 *
 * @throws {UnreachableError} Nobody accepts connections.
 */
export async function sendLoad(host: Host, spec: SendLoadSpec): Promise<LoadReport> {
  const tally = new LoadTally();
  const lines = await Promise.all(
    Array.from({ length: spec.connections }, () => openLine(spec.address)),
  );
  const http = spec.protocol === "http";
  const senders = http
    ? httpSenders(host, lines, spec, tally)
    : remotingSenders(host, lines, spec, tally);
  const tookMs = await measure(host, senders, tally, spec);
  for (const line of lines) line.destroy();
  const { connections, inFlight, bodyBytes, batch, queues } = spec;
  const settings = { connections, "in flight": inFlight, "body bytes": bodyBytes, queues };
  const name = `${spec.protocol} send`;
  const more = http ? { ...settings, batch } : settings;
  return reportOf(tally, tookMs, { name, unit: "messages", settings: more });
}

/** Lets senders run: first unmeasured, then measured. Returns how long the measured part took. */
export async function measure(
  host: Host,
  senders: readonly Sender[],
  tally: LoadTally,
  spec: { readonly warmup: number; readonly seconds: number },
): Promise<number> {
  const stop = host.takeStopSignals();
  for (const sender of senders) sender.start();
  if (spec.warmup > 0) await host.sleep(spec.warmup * 1000, stop);
  tally.restart();
  const beganMs = host.clock.monotonicMs();
  await host.sleep(spec.seconds * 1000, stop);
  const tookMs = host.clock.monotonicMs() - beganMs;
  tally.freeze();
  await Promise.race([
    Promise.all(senders.map((sender) => sender.stop())),
    host.sleep(drainMsMax),
  ]);
  return tookMs;
}

function remotingSenders(
  host: Host,
  lines: readonly Line[],
  spec: SendLoadSpec,
  tally: LoadTally,
): readonly Sender[] {
  const shared = {
    topic: spec.topic,
    queues: spec.queues,
    body: loadBody(spec.bodyBytes),
    inFlight: spec.inFlight,
    nowMs: () => host.clock.monotonicMs(),
    bornMs: host.clock.wallMs(),
    keyPrefix: Buffer.from(host.randomBytes(8)).toString("hex").toUpperCase(),
  };
  return lines.map((line, at) => new RemotingSender(line, at, shared, tally));
}

function httpSenders(
  host: Host,
  lines: readonly Line[],
  spec: SendLoadSpec,
  tally: LoadTally,
): readonly Sender[] {
  const { batch, inFlight } = spec;
  const nowMs = () => host.clock.monotonicMs();
  const shared = { request: sendRequest(spec), batch, inFlight, nowMs };
  return lines.map((line) => new HttpSender(line, shared, tally));
}

/** The one request of an HTTP load: a single message, or a batch. */
export function sendRequest(
  spec: Pick<SendLoadSpec, "address" | "topic" | "bodyBytes" | "batch">,
): Buffer {
  const message = { body: loadBody(spec.bodyBytes).toString("latin1") };
  const body = spec.batch === 1
    ? message
    : { messages: Array.from({ length: spec.batch }, () => message) };
  const path = `/v1/topics/${encodeURIComponent(spec.topic)}/messages`;
  return httpRequest(spec.address, "POST", path, JSON.stringify(body));
}

/** A body of printable letters that neither repeats within a word nor needs escaping. */
export function loadBody(bytes: number): Buffer {
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const body = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) body[at] = letters.charCodeAt(at * 7 % letters.length);
  return body;
}
