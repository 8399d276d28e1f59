/** `curlew message send`: one message, many, or a stream of lines. @module */
import { limits } from "../../base/limits.ts";
import { UniqueKeys } from "../../model/message_id.ts";
import type { Host } from "../../ports/host.ts";
import { type ApiClient, apiClientOf, apiOptions } from "../api_client.ts";
import {
  type Call,
  type Command,
  command,
  type ExitCode,
  exitCodes,
  type ValuesOf,
} from "../command.ts";
import { UsageError } from "../failure.ts";
import { parseDue } from "../moments.ts";
import { jsonLine, show, table } from "../output.ts";
import { streamGiveUpMs } from "../patience.ts";
import { rate, showProgress } from "../progress.ts";
import { linesOf } from "../stream/lines.ts";
import { type MessageTemplate, messageWriter } from "../stream/message_json.ts";
import {
  emptyTally,
  type Receipt,
  type SendOptions,
  sendStream,
  type SendTally,
} from "../stream/sender.ts";
import { showCount, showDuration, showTime } from "../units.ts";

const optionTable = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", required: true, help: "where to send" },
  tag: { kind: "text", value: "TAG", help: "the tag consumers filter by" },
  key: { kind: "list", value: "KEY", help: "a key the message can be found by" },
  property: { kind: "list", short: "p", value: "NAME=VALUE", help: "a property of your own" },
  shardingKey: { kind: "text", value: "KEY", help: "equal keys go to the same queue" },
  queue: { kind: "count", value: "ID", help: "send to this queue; keeps the order of lines" },
  ttl: {
    kind: "duration",
    value: "TIME",
    min: 1,
    max: limits.retentionMsMax,
    help: "pass the message over when it was not consumed for so long, as 30s",
  },
  delay: { kind: "duration", value: "TIME", help: "visible so long from now, up to 40 days" },
  at: { kind: "text", value: "TIME", help: "visible at this date and time" },
  timerKey: {
    kind: "text",
    value: "KEY",
    help: "takes the place of the pending timer of this key",
  },
  count: { kind: "count", value: "N", min: 1, help: "send every body this often" },
  stdin: { kind: "flag", help: "send standard input, each line a message" },
  file: { kind: "text", value: "PATH", help: "send a file, each line a message; shows percent" },
  ordered: {
    kind: "flag",
    help:
      "lines keep their order: one request at a time, into the sharding key's queue or the first",
  },
  concurrency: {
    kind: "count",
    value: "N",
    fallback: 4,
    min: 1,
    max: limits.sendWorkersMax,
    help: "requests at once for --stdin, --file and --count",
  },
  batch: {
    kind: "count",
    value: "N",
    fallback: 512,
    min: 1,
    max: limits.batchMessagesMax,
    help: "messages in one request",
  },
  giveUpMs: {
    kind: "duration",
    value: "TIME",
    help: "how long to go on while the broker is away; 60s for --stdin, --file, else 0",
  },
} as const;

/** Sends. */
export const messageSend: Command = command({
  name: "send",
  summary: "Send messages: the words given, or every line of a stream",
  details: [
    "A line's bytes are the body exactly: an empty line is an empty message, bytes that are not " +
    "UTF-8 travel as they are, and only the line end is left out.",
    "A lost connection or a busy broker is tried again until --give-up-ms. A request " +
    "whose outcome " +
    "is unknown is sent again with the same message ids: nothing is lost, and what may be stored " +
    'twice is counted as "resent" at the end.',
  ],
  args: [{ name: "BODY", help: "a message's body; each word is one message", many: true }],
  options: optionTable,
  examples: [
    { line: "curlew message send -t orders 'hello'", says: "one message" },
    {
      line: "curlew message send -t orders --tag paid --key 4711 -p shop=berlin '{\"total\":12}'",
      says: "with tag, key and property",
    },
    { line: "curlew message send -t lines --file access.log", says: "a file, with progress" },
    { line: "tail -f app.log | curlew message send -t app --stdin --ordered", says: "a live log" },
  ],
  run,
});

type SendCall = Call<typeof optionTable>;

async function run({ host, options, args }: SendCall): Promise<ExitCode> {
  const streams = [options.stdin, options.file !== undefined, args.length > 0];
  const named = streams.filter(Boolean).length;
  if (named === 0) {
    throw new UsageError("There is nothing to send: give a BODY, --stdin or --file.");
  }
  if (named > 1) throw new UsageError("BODY, --stdin and --file do not go together: give one.");
  if (options.count !== undefined && args.length === 0) {
    throw new UsageError("--count repeats a BODY; it does not go with --stdin or --file.");
  }
  const api = apiClientOf(host, options);
  const ids = new UniqueKeys(host.clock, host.randomBytes(10));
  if (options.delay !== undefined && options.at !== undefined) {
    throw new UsageError("--delay and --at do not go together: give one.");
  }
  if (options.timerKey !== undefined && (args.length !== 1 || (options.count ?? 1) > 1)) {
    throw new UsageError("--timer-key names one message: give one BODY.");
  }
  const writer = messageWriter(templateOf(options, host.clock.wallMs()));
  const write = (body: Uint8Array) => writer(body, ids.next());
  const single = args.length > 0 && (options.count ?? 1) * args.length <= options.batch;
  if (single) return await sendWords(api, { host, options, args }, write);
  return await sendAll(api, { host, options, args }, write);
}

/** A few messages in one request: the receipts are worth printing. */
async function sendWords(
  api: ApiClient,
  { host, options, args }: SendCall,
  write: (body: Uint8Array) => string,
): Promise<ExitCode> {
  const receipts: Receipt[] = [];
  const onReceipts = (more: readonly Receipt[]) => receipts.push(...more);
  const lines = repeated(args, options.count ?? 1);
  const parts = { host, api, write, onReceipts };
  // A person waits for this one: a broker that is away is told at once.
  const giveUpMs = options.giveUpMs ?? 0;
  await sendStream(
    lines,
    { ...sendOptionsOf(options), workers: 1, giveUpMs },
    parts,
    emptyTally(),
  );
  if (options.json) await host.out.write(jsonLine({ receipts }));
  else await host.out.write(receiptsTable(receipts));
  return exitCodes.ok;
}

async function sendAll(
  api: ApiClient,
  { host, options, args }: SendCall,
  write: (body: Uint8Array) => string,
): Promise<ExitCode> {
  const { chunks, bytesTotal } = await sourceOf(host, options);
  const lines = args.length > 0
    ? repeated(args, options.count ?? 1)
    : linesOf(chunks, limits.bodyBytesMax);
  const stop = host.takeStopSignals();
  const tally = emptyTally();
  const beganMs = host.clock.monotonicMs();
  const endProgress = showProgress(host, () => ({
    done: tally.sent,
    fraction: bytesTotal === undefined ? undefined : tally.sentBytes / Math.max(1, bytesTotal),
    trouble: tally.trouble,
  }));
  const tell = async () => {
    await endProgress();
    await tellTally(host, options.json, tally, host.clock.monotonicMs() - beganMs);
  };
  try {
    await sendStream(lines, { ...sendOptionsOf(options), stop }, { host, api, write }, tally);
  } catch (thrown) {
    await tell();
    throw thrown;
  }
  await tell();
  return stop.aborted ? exitCodes.interrupted : exitCodes.ok;
}

function sendOptionsOf(options: ValuesOf<SendCallOptions>): SendOptions {
  const ordered = options.ordered || options.queue !== undefined;
  return {
    topic: options.topic,
    workers: ordered ? 1 : options.concurrency,
    batchMessagesMax: options.batch,
    giveUpMs: options.giveUpMs ?? streamGiveUpMs,
  };
}

type SendCallOptions = typeof optionTable;

async function sourceOf(host: Host, { file, stdin }: ValuesOf<SendCallOptions>) {
  if (file === undefined) {
    if (stdin && host.inputIsTerminal) {
      await host.err.write("Reading lines from the terminal; Ctrl-D ends.\n");
    }
    return { chunks: host.input(), bytesTotal: undefined };
  }
  try {
    return await host.openFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot read ${file}: ${reason}.`);
  }
}

function templateOf(options: ValuesOf<SendCallOptions>, nowMs: number): MessageTemplate {
  const properties: Record<string, string> = {};
  for (const text of options.property) {
    const cut = text.indexOf("=");
    if (cut < 1) throw new UsageError(`--property needs NAME=VALUE; found "${text}".`);
    properties[text.slice(0, cut)] = text.slice(cut + 1);
  }
  return {
    tag: options.tag,
    keys: options.key.length > 0 ? options.key : undefined,
    properties: Object.keys(properties).length > 0 ? properties : undefined,
    shardingKey: options.shardingKey,
    // Lines keep their order within one queue only; a sharding key names one, else it is the first.
    queueId: options.queue ?? (options.ordered && !options.shardingKey ? 0 : undefined),
    delayMs: options.delay,
    deliverAtMs: options.at === undefined ? undefined : parseDue(options.at, "--at", nowMs),
    timerKey: options.timerKey,
    ttlMs: options.ttl,
  };
}

/** Every body `count` times, a group at a time: a large count is not a large list. */
async function* repeated(
  bodies: readonly string[],
  count: number,
): AsyncGenerator<readonly Uint8Array[]> {
  const encoder = new TextEncoder();
  const group = bodies.map((body) => encoder.encode(body));
  const perYield = Math.max(1, Math.floor(limits.batchMessagesMax / group.length));
  for (let left = count; left > 0; left -= perYield) {
    const times = Math.min(left, perYield);
    yield Array.from({ length: times }, () => group).flat();
  }
  await Promise.resolve();
}

function receiptsTable(receipts: readonly Receipt[]): string {
  const rows = receipts.map(({ messageId, queueId, offset, survived }) =>
    [messageId, queueId, offset, survived].map(show)
  );
  const head = ["MESSAGE ID", "QUEUE", "OFFSET", "SURVIVES"];
  const columns = [
    ["DUE", receipts.map(({ deliverAtMs: ms }) => typeof ms === "number" ? showTime(ms) : "-")],
    ["REPLACES", receipts.map(({ replacedMessageId }) => show(replacedMessageId))],
    ["REPEATED", receipts.map(({ repeated }) => repeated === true ? "yes" : "-")],
  ] as const;
  // Most receipts have none of these: a column is there when one of them has something to say.
  const told = columns.filter(([, cells]) => cells.some((cell) => cell !== "-"));
  return table(
    [...head, ...told.map(([title]) => title)],
    rows.map((row, index) => [...row, ...told.map(([, cells]) => cells[index] ?? "-")]),
  );
}

async function tellTally(
  host: Host,
  json: boolean,
  tally: SendTally,
  tookMs: number,
): Promise<void> {
  const { sent, resent, retries, survived } = tally;
  const perSecond = Math.round(rate(sent, tookMs));
  if (json) {
    const summary = { sent, resent, retries, survived, tookMs: Math.round(tookMs), perSecond };
    await host.out.write(jsonLine(summary));
    return;
  }
  const again = resent > 0 ? `, ${showCount(resent)} resent, known by their ids` : "";
  const pace = `in ${showDuration(tookMs)}, ${showCount(perSecond)}/s`;
  const what = sent === 1 ? "message" : "messages";
  await host.err.write(`Sent ${showCount(sent)} ${what} ${pace}${again}.\n`);
}
