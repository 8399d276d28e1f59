/** `curlew bench`: the load tool that makes our own figures, for everyone. @module */
import { limits } from "../../base/limits.ts";
import type { Host } from "../../ports/host.ts";
import { apiClientOf, apiOptions } from "../api_client.ts";
import { loneFigures } from "../bench/lone.ts";
import { receiveLoad } from "../bench/receive_load.ts";
import { sendLoad } from "../bench/send_load.ts";
import { parseAddress } from "../bench/sockets.ts";
import { type LoadReport, machineText, reportText } from "../bench/tally.ts";
import {
  type Call,
  type Command,
  command,
  type ExitCode,
  exitCodes,
  type Family,
  family,
  type ValuesOf,
} from "../command.ts";
import { RefusedError } from "../failure.ts";
import { jsonLine } from "../output.ts";
import { version } from "../version.ts";

type TopicAnswer = { readonly settings: { readonly queues: number } };

/** Of a topic that the bench makes. */
const newTopicQueues = 8;

const shared = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", fallback: "curlew-bench", help: "the topic" },
  queues: {
    kind: "count",
    value: "N",
    min: 1,
    max: limits.queuesPerTopicMax,
    help:
      "queues the load is spread over, at most all of the topic's; a new topic has so many, or 8",
  },
  noCreate: { kind: "flag", help: "do not make the topic first: for brokers without our API" },
  bodyBytes: {
    kind: "bytes",
    value: "SIZE",
    fallback: 256,
    max: limits.bodyBytesMax,
    help: "bytes of a body",
  },
  seconds: { kind: "count", value: "N", fallback: 10, min: 1, max: 86_400, help: "of measuring" },
  warmup: { kind: "count", value: "N", fallback: 2, max: 3600, help: "seconds before measuring" },
} as const;

const connections = {
  kind: "count",
  value: "N",
  min: 1,
  max: limits.benchConnectionsMax,
  fallback: 64,
  help: "connections",
} as const;

const address = {
  kind: "text",
  value: "HOST:PORT",
  help: "the remoting listener; 127.0.0.1:9876 unless told. HTTP goes to --url",
} as const;

const sendOptions = {
  ...shared,
  connections,
  address,
  protocol: {
    kind: "text",
    value: "NAME",
    choices: ["remoting", "http"],
    fallback: "remoting",
    help: "how to send",
  },
  inFlight: {
    kind: "count",
    value: "N",
    min: 1,
    max: limits.benchInFlightMax,
    help: "requests going at once on one connection; 8 for remoting, 1 for http",
  },
  batch: {
    kind: "count",
    value: "N",
    fallback: 1,
    min: 1,
    max: limits.batchMessagesMax,
    help: "messages in one request, with http",
  },
} as const;

const receiveOptions = {
  ...shared,
  connections: { ...connections, fallback: 8 },
  group: { kind: "text", short: "g", value: "GROUP", fallback: "curlew-bench", help: "the group" },
  batch: {
    kind: "count",
    value: "N",
    fallback: 32,
    min: 1,
    max: limits.popMessagesMax,
    help: "messages in one receive, and in its ack",
  },
  fill: { kind: "count", value: "N", fallback: 200_000, help: "messages to send beforehand" },
} as const;

const loneOptions = { ...shared, address } as const;

/** The family of benches. */
export const benchFamily: Family = family({
  name: "bench",
  summary: "Put a broker under load and print the figures",
  details: [
    "Every answer is read and its code checked; errors are counted and fail the command. Run the " +
    "load on another machine, or know that it takes its share of this one.",
  ],
  examples: [
    { line: "curlew bench send", says: "RocketMQ V2 sends, 64 connections with 8 in flight" },
    { line: "curlew bench send --protocol http --connections 32", says: "single JSON sends" },
    { line: "curlew bench receive", says: "receive and acknowledge in batches of 32" },
    { line: "curlew bench lone", says: "the latency of one sender that waits for each answer" },
  ],
  members: [sendCommand(), receiveCommand(), loneCommand()],
});

function sendCommand(): Command {
  return command({
    name: "send",
    summary: "Send as fast as answers come",
    options: sendOptions,
    examples: [
      { line: "curlew bench send --seconds 30 --body-bytes 1KiB", says: "longer, larger" },
      {
        line: "curlew bench send --address 10.0.0.5:10911 --topic t --queues 4 --no-create",
        says: "any broker that speaks RocketMQ's protocol",
      },
    ],
    run: async (call) => {
      const { host, options } = call;
      return await tell(host, options.json, [
        await sendLoad(host, {
          ...options,
          queues: await makeTopic(call),
          inFlight: options.inFlight ?? (options.protocol === "http" ? 1 : 8),
          address: targetOf(host, options, options.protocol === "http"),
        }),
      ]);
    },
  });
}

function receiveCommand(): Command {
  return command({
    name: "receive",
    summary: "Receive and acknowledge over HTTP as fast as answers come",
    options: receiveOptions,
    examples: [{ line: "curlew bench receive --fill 500000 --connections 16", says: "a backlog" }],
    run: async (call) => {
      const { host, options } = call;
      await makeTopic(call);
      const api = apiClientOf(host, options);
      if (!options.noCreate) {
        await api.ask({ method: "PUT", path: ["v1", "groups", options.group], body: {} });
      }
      const address = targetOf(host, options, true);
      return await tell(host, options.json, [
        await receiveLoad(host, { ...options, address }),
      ]);
    },
  });
}

function loneCommand(): Command {
  return command({
    name: "lone",
    summary: "Measure one sender that waits for each answer, over remoting and HTTP",
    options: loneOptions,
    examples: [{ line: "curlew bench lone --seconds 5", says: "p50, p99 and the longest" }],
    run: async (call) => {
      const { host, options } = call;
      const queues = await makeTopic(call);
      const remoting = targetOf(host, options, false);
      const http = options.noCreate ? undefined : targetOf(host, options, true);
      const spec = { ...options, queues };
      return await tell(host, options.json, await loneFigures(host, spec, { remoting, http }));
    },
  });
}

function targetOf(
  host: Host,
  options: { readonly url: string | undefined; readonly address?: string | undefined },
  http: boolean,
) {
  if (!http) return parseAddress(options.address ?? "127.0.0.1:9876", "--address");
  const url = options.url ?? host.env["CURLEW_URL"] ?? "127.0.0.1:8080";
  return parseAddress(url, "--url");
}

/** Makes the topic unless it is there. Answers how many of its queues the load is for. */
async function makeTopic({ host, options }: Call<typeof shared>): Promise<number> {
  const queues = options.queues ?? newTopicQueues;
  if (options.noCreate) return queues;
  const api = apiClientOf(host, options);
  const path = ["v1", "topics", options.topic];
  try {
    await api.ask({ method: "PUT", path, body: { queues } });
    return queues;
  } catch (thrown) {
    if (!(thrown instanceof RefusedError) || thrown.code !== "topic_exists") throw thrown;
  }
  // A bench of yesterday, or somebody else, made it with other settings: those are used then.
  const topic = await api.ask({ method: "GET", path }) as TopicAnswer;
  return Math.min(options.queues ?? Infinity, topic.settings.queues);
}

async function tell(
  host: Host,
  json: boolean,
  reports: readonly LoadReport[],
): Promise<ExitCode> {
  if (json) await host.out.write(jsonLine({ version, machine: host.machine, reports }));
  else {
    await host.out.write(machineText(host.machine, version));
    await host.out.write(reports.map(reportText).join(""));
  }
  const failed = reports.some((report) => Object.keys(report.errors).length > 0);
  return failed ? exitCodes.refused : exitCodes.ok;
}

/** The values all benches share. */
export type SharedValues = ValuesOf<typeof shared>;
