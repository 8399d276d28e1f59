/** `curlew message request`: send a message and print its reply. @module */
import { limits } from "../../base/limits.ts";
import { apiClientOf, apiOptions, isObject } from "../api_client.ts";
import { type Call, type Command, command, type ExitCode, exitCodes } from "../command.ts";
import { UnreachableError } from "../failure.ts";
import { jsonLine } from "../output.ts";
import { bodyLines } from "../stream/message_json.ts";

const optionTable = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", required: true, help: "whom to ask" },
  tag: { kind: "text", value: "TAG", help: "the tag consumers filter by" },
  shardingKey: { kind: "text", value: "KEY", help: "equal keys go to the same queue" },
  within: {
    kind: "duration",
    value: "TIME",
    fallback: "10s",
    min: 1,
    max: limits.requestMsMax,
    help: "how long to wait for the reply",
  },
} as const;

/** Asks. */
export const messageRequest: Command = command({
  name: "request",
  summary: "Send a message and wait for its reply",
  details: [
    "Prints the body of the reply and a line end; --json prints the reply as one JSON object. " +
    "Without a reply in time the command fails.",
  ],
  args: [{ name: "BODY", help: "the question", required: true }],
  options: optionTable,
  examples: [
    { line: "curlew message request -t prices 'what is item 4711?'", says: "ask" },
    { line: "curlew message request -t prices --within 2s 4711", says: "and do not wait long" },
  ],
  run,
});

async function run({ host, options, args }: Call<typeof optionTable>): Promise<ExitCode> {
  const { topic, tag, shardingKey, within } = options;
  const [text = ""] = args;
  const reply = await apiClientOf(host, options).ask({
    method: "POST",
    path: ["v1", "topics", topic, "requests"],
    body: { body: text, tag, shardingKey, timeoutMs: within },
    waitMs: within,
  });
  if (!isObject(reply)) throw new UnreachableError("The broker's answer is no reply", true);
  if (options.json) await host.out.write(jsonLine(reply));
  else await host.out.write(bodyLines([reply]));
  return exitCodes.ok;
}
