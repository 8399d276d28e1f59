/** `curlew message receive`: take messages for a group, one a line. @module */
import { Buffer } from "node:buffer";
import { limits } from "../../base/limits.ts";
import type { Host } from "../../ports/host.ts";
import { apiClientOf, apiOptions } from "../api_client.ts";
import { type Call, type Command, command, type ExitCode, exitCodes } from "../command.ts";
import { UsageError } from "../failure.ts";
import { jsonLine } from "../output.ts";
import { streamGiveUpMs } from "../patience.ts";
import { bodyLines } from "../stream/message_json.ts";
import {
  emptyReceiveTally,
  type ReceivedJson,
  receiveStream,
  type ReceiveTally,
} from "../stream/receiver.ts";
import { showCount } from "../units.ts";

const messagesMaxUnlessTold = 32;

const optionTable = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", required: true, help: "where to read" },
  group: { kind: "text", short: "g", value: "GROUP", required: true, help: "for whom" },
  max: {
    kind: "count",
    value: "N",
    min: 1,
    help: "end after so many messages; 32 unless --follow or --until-idle-ms is given",
  },
  ack: { kind: "flag", help: "acknowledge what was printed; else it is delivered again later" },
  follow: { kind: "flag", short: "f", help: "go on until interrupted" },
  untilIdleMs: { kind: "duration", value: "TIME", help: "go on until nothing came for so long" },
  tags: { kind: "text", value: "EXPR", help: "only these tags, as 'paid || shipped'" },
  sql: {
    kind: "text",
    value: "EXPR",
    help: "only what meets this SQL92, as \"colour = 'red' and amount > 100\"",
  },
  waitMs: {
    kind: "duration",
    value: "TIME",
    fallback: "1s",
    max: limits.pollWaitMsMax,
    help: "how long one poll waits for a message",
  },
  invisibleMs: {
    kind: "duration",
    value: "TIME",
    fallback: "30s",
    min: limits.invisibleMsMin,
    max: limits.invisibleMsMax,
    help: "how long others do not see a received message",
  },
  batch: {
    kind: "count",
    value: "N",
    fallback: limits.popMessagesMax,
    min: 1,
    max: limits.popMessagesMax,
    help: "messages in one request",
  },
  broadcast: {
    kind: "flag",
    help: "get every message, not a share of them; needs --client-id, which names your place",
  },
  clientId: { kind: "text", value: "ID", help: "the name of this consumer; made up otherwise" },
  giveUpMs: {
    kind: "duration",
    value: "TIME",
    help: "how long to go on while the broker is away; 60s for --follow, --until-idle-ms, else 0",
  },
} as const;

/** Receives. */
export const messageReceive: Command = command({
  name: "receive",
  summary: "Receive messages for a consumer group",
  details: [
    "Prints each body and a line end; --json prints one JSON object a message " +
    "instead. With --ack a " +
    "message is acknowledged after it was printed: a crash in between delivers it again.",
    "What a lost connection left unanswered comes back after --invisible-ms; give " +
    "--until-idle-ms " +
    "more than that to end only when all is read.",
  ],
  options: optionTable,
  examples: [
    { line: "curlew message receive -t orders -g billing --ack", says: "up to 32 messages" },
    { line: "curlew message receive -t orders -g billing --ack -f", says: "as they come" },
    {
      line: "curlew message receive -t lines -g copy --ack --until-idle-ms 40s > copy.txt",
      says: "everything",
    },
    {
      line: "curlew message receive -t orders -g billing --max 1 --json | jq .receipt",
      says: "one, to be acknowledged by other means",
    },
  ],
  run,
});

async function run({ host, options }: Call<typeof optionTable>): Promise<ExitCode> {
  const { follow, untilIdleMs, json } = options;
  if (options.broadcast && options.clientId === undefined) {
    throw new UsageError(
      "--broadcast needs --client-id: the broker keeps a place for each client.",
    );
  }
  const endless = follow || untilIdleMs !== undefined;
  const stop = host.takeStopSignals();
  const tally = emptyReceiveTally();
  const receiveOptions = {
    ...options,
    batchMax: options.batch,
    messagesMax: options.max ?? (endless ? Infinity : messagesMaxUnlessTold),
    untilIdleMs: follow ? Infinity : untilIdleMs ?? options.waitMs,
    clientId: options.clientId ?? `curlew-${Buffer.from(host.randomBytes(6)).toString("hex")}`,
    acknowledge: options.ack,
    giveUpMs: options.giveUpMs ?? (endless ? streamGiveUpMs : 0),
    stop,
  };
  const deliver = (messages: readonly ReceivedJson[]) =>
    host.out.write(json ? messages.map(jsonLine).join("") : bodyLines(messages));
  const parts = { host, api: apiClientOf(host, options), deliver };
  try {
    await receiveStream(receiveOptions, parts, tally);
  } finally {
    await tell(host, json, tally, options.ack);
  }
  return stop.aborted && !follow ? exitCodes.interrupted : exitCodes.ok;
}

/** The count goes to the error stream: the other one carries messages. */
async function tell(host: Host, json: boolean, tally: ReceiveTally, acks: boolean): Promise<void> {
  if (json) return await host.err.write(jsonLine(tally));
  const { received, acknowledged, redelivered, late } = tally;
  const again = redelivered > 0 ? `, ${showCount(redelivered)} of them not for the first time` : "";
  const acked = acks ? `, acknowledged ${showCount(acknowledged)}` : "";
  const tooLate = late > 0 ? `, ${showCount(late)} acknowledged too late` : "";
  await host.err.write(`Received ${showCount(received)}${again}${acked}${tooLate}.\n`);
}
