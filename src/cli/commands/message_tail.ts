/** `curlew message tail`: look at a topic's newest messages without being a consumer. @module */
import { limits } from "../../base/limits.ts";
import type { Host } from "../../ports/host.ts";
import { type ApiClient, apiClientOf, apiOptions, isObject, listAt } from "../api_client.ts";
import { type Call, type Command, command, type ExitCode, exitCodes } from "../command.ts";
import { RefusedError, UsageError } from "../failure.ts";
import { jsonLine } from "../output.ts";
import { persist } from "../patience.ts";
import { bodyLines } from "../stream/message_json.ts";

const pageMessages = 256;

const optionTable = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", required: true, help: "where to look" },
  queue: { kind: "count", value: "ID", help: "only this queue" },
  from: { kind: "text", value: "WHERE", help: "earliest, latest, or an offset" },
  last: { kind: "count", short: "n", value: "N", fallback: 10, help: "so many of each queue" },
  follow: { kind: "flag", short: "f", help: "go on with what comes, until interrupted" },
  waitMs: {
    kind: "duration",
    value: "TIME",
    fallback: "5s",
    max: limits.pollWaitMsMax,
    help: "how long one poll waits with --follow",
  },
  giveUpMs: {
    kind: "duration",
    value: "TIME",
    fallback: "60s",
    help: "how long to go on while the broker is away or busy",
  },
} as const;

/** Looks. */
export const messageTail: Command = command({
  name: "tail",
  summary: "Show the newest messages of a topic; no group is needed and nothing is consumed",
  details: ["Order holds within a queue. Queues are shown side by side, as their messages come."],
  options: optionTable,
  examples: [
    { line: "curlew message tail -t orders", says: "the last ten of each queue" },
    { line: "curlew message tail -t orders -f --json", says: "live, with all fields" },
    { line: "curlew message tail -t orders --queue 0 --from earliest", says: "one queue, whole" },
  ],
  run,
});

type TailCall = Call<typeof optionTable>;

async function run({ host, options }: TailCall): Promise<ExitCode> {
  const api = apiClientOf(host, options);
  const stop = host.takeStopSignals();
  const halt = new AbortController();
  const either = AbortSignal.any([stop, halt.signal]);
  const queueIds = options.queue === undefined
    ? await allQueues(api, options.topic)
    : [options.queue];
  const failures: unknown[] = [];
  const tails = queueIds.map((queueId) =>
    tailQueue({ host, api, options, queueId, stop: either }).catch((thrown) => {
      failures.push(thrown);
      halt.abort();
    })
  );
  await Promise.all(tails);
  if (failures.length > 0 && !stop.aborted) throw failures[0];
  return stop.aborted && !options.follow ? exitCodes.interrupted : exitCodes.ok;
}

type QueueTail = {
  readonly host: Host;
  readonly api: ApiClient;
  readonly options: TailCall["options"];
  readonly queueId: number;
  readonly stop: AbortSignal;
};

async function tailQueue(tail: QueueTail): Promise<void> {
  const { host, options, stop } = tail;
  let offset = startOf(await page(tail, "earliest", 1, 0), options);
  while (!stop.aborted) {
    const waitMs = options.follow ? options.waitMs : 0;
    const found = await pageFrom(tail, offset, waitMs);
    if (found.messages.length > 0) {
      const { messages } = found;
      await host.out.write(
        options.json ? messages.map(jsonLine).join("") : bodyLines(messages),
      );
    }
    offset = Math.max(found.nextOffset, found.minOffset);
    if (!options.follow && offset >= found.maxOffset) return;
  }
}

type Page = {
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  readonly nextOffset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
};

/** A page from `offset` on. Retention may have passed it by: then from the oldest that is left. */
async function pageFrom(tail: QueueTail, offset: number, waitMs: number): Promise<Page> {
  try {
    return await page(tail, offset, pageMessages, waitMs);
  } catch (thrown) {
    if (!(thrown instanceof RefusedError) || thrown.code !== "offset_not_found") throw thrown;
    const left = await page(tail, "earliest", pageMessages, 0);
    if (left.minOffset <= offset) throw thrown;
    return left;
  }
}

async function page(
  tail: QueueTail,
  offset: number | "earliest",
  max: number,
  waitMs: number,
): Promise<Page> {
  const { host, api, options, queueId, stop } = tail;
  const path = ["v1", "topics", options.topic, "queues", String(queueId), "messages"];
  const request = { method: "GET", path, query: { offset, max, waitMs }, waitMs, stop } as const;
  const patience = { giveUpMs: options.follow ? options.giveUpMs : 0, stop };
  const answer = await persist(host, patience, () => api.ask(request));
  const at = (name: string) => {
    const value = isObject(answer) ? answer[name] : undefined;
    return typeof value === "number" ? value : 0;
  };
  return {
    messages: listAt(answer, "messages"),
    nextOffset: at("nextOffset"),
    minOffset: at("minOffset"),
    maxOffset: at("maxOffset"),
  };
}

function startOf({ minOffset, maxOffset }: Page, { from, last }: TailCall["options"]): number {
  if (from === undefined) return Math.max(minOffset, maxOffset - last);
  if (from === "earliest") return minOffset;
  if (from === "latest") return maxOffset;
  if (/^\d+$/.test(from)) return Math.max(minOffset, Number(from));
  throw new UsageError(`--from needs earliest, latest or an offset; found "${from}".`);
}

async function allQueues(api: ApiClient, topic: string): Promise<readonly number[]> {
  const answer = await api.ask({ method: "GET", path: ["v1", "topics", topic] });
  const queues = isObject(answer) ? answer["queues"] : undefined;
  const count = Array.isArray(queues) ? queues.length : Number(queues ?? 0);
  return Array.from({ length: Math.min(count, limits.queuesPerTopicMax) }, (_, id) => id);
}
