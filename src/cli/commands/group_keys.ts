/** `curlew group parked` and `settle`: keys of ordered groups that wait for an operator. @module */
import { apiClientOf, apiOptions, type ApiRequest, listAt } from "../api_client.ts";
import { type Call, type Command, command, type ExitCode } from "../command.ts";
import { show, table } from "../output.ts";
import { askAndTell } from "../resource.ts";

const name = [{ name: "GROUP", help: "the group's name", required: true }] as const;
const parkedOptions = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", required: true, help: "the topic" },
} as const;
const settleOptions = {
  ...parkedOptions,
  queue: { kind: "count", value: "ID", required: true, help: "the queue of the parked message" },
  offset: { kind: "count", value: "OFFSET", required: true, help: "its offset" },
  action: {
    kind: "text",
    value: "WHAT",
    required: true,
    choices: ["retry", "skip", "bury"],
    help: "deliver it anew, finish it undelivered, or move it to the dead letters",
  },
} as const;

const parkedCommand = command({
  name: "parked",
  summary: "Show keys whose first message failed as often as the group allows",
  args: name,
  options: parkedOptions,
  examples: [{ line: "curlew group parked billing -t orders", says: "what waits for you" }],
  run: (call) => askKeys(call, { method: "GET", path: pathOf(call) }),
});

const settleCommand = command({
  name: "settle",
  summary: "Retry, skip or bury the message a key is parked on",
  details: ["The messages of the key that wait behind it follow in their order."],
  args: name,
  options: settleOptions,
  examples: [
    {
      line: "curlew group settle billing -t orders --queue 0 --offset 42 --action retry",
      says: "the consumer is repaired: try again",
    },
    {
      line: "curlew group settle billing -t orders --queue 0 --offset 42 --action bury",
      says: "to the dead letters, to be looked at later",
    },
  ],
  run: (call) => {
    const { queue, offset, action } = call.options;
    const body = { queueId: queue, offset, action };
    return askKeys(call, { method: "POST", path: [...pathOf(call), "settle"], body });
  },
});

/** The commands about parked keys. */
export const keyCommands: readonly Command[] = [parkedCommand, settleCommand];

function pathOf({ options, args }: Call<typeof parkedOptions>): string[] {
  return ["v1", "topics", options.topic, "groups", args[0] ?? "", "parked-keys"];
}

function askKeys(
  { host, options }: Call<typeof parkedOptions>,
  request: ApiRequest,
): Promise<ExitCode> {
  const printer = { host, json: options.json };
  return askAndTell(apiClientOf(host, options), request, printer, keysTable);
}

function keysTable(answer: unknown): string {
  const keys = listAt(answer, "parkedKeys");
  if (keys.length === 0) return "No key is parked.\n";
  const names = ["queueId", "offset", "key", "attempts", "behind", "messageId"];
  const rows = keys.map((key) => names.map((name) => show(key[name])));
  return table(["QUEUE", "OFFSET", "KEY", "ATTEMPTS", "BEHIND", "MESSAGE ID"], rows);
}
