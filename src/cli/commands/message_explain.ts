/** `curlew message explain`: why a message was, or was not, delivered to a group. @module */
import { apiClientOf, apiOptions, type ApiRequest, isObject, listAt } from "../api_client.ts";
import { type Call, type Command, command, type ExitCode } from "../command.ts";
import { UsageError } from "../failure.ts";
import { show } from "../output.ts";
import { askAndTell } from "../resource.ts";

const optionTable = {
  ...apiOptions,
  group: { kind: "text", short: "g", value: "GROUP", required: true, help: "the group" },
  topic: { kind: "text", short: "t", value: "TOPIC", help: "where the message is; any topic" },
  queue: { kind: "count", value: "ID", help: "with --offset, instead of an id: the queue" },
  offset: { kind: "count", value: "OFFSET", help: "with --queue, instead of an id: the offset" },
} as const;

/** Explains. */
export const messageExplain: Command = command({
  name: "explain",
  summary: "Say why a message was, or was not, delivered to a group",
  details: [
    "The deciding cause comes first; those after it would be next. Each names the command that " +
    "changes it.",
  ],
  args: [{ name: "ID", help: "the message id; or give --topic, --queue and --offset" }],
  options: optionTable,
  examples: [
    { line: "curlew message explain 7F00…01 -g billing", says: "by its id" },
    { line: "curlew message explain -t orders --queue 0 --offset 42 -g billing", says: "by place" },
  ],
  run,
});

function run({ host, options, args }: Call<typeof optionTable>): Promise<ExitCode> {
  const request = requestOf(args[0], options);
  const printer = { host, json: options.json };
  return askAndTell(apiClientOf(host, options), request, printer, explanationText);
}

/** @throws {UsageError} Neither an id nor a whole place is given, or both are. */
function requestOf(
  id: string | undefined,
  { group, topic, queue, offset }: Call<typeof optionTable>["options"],
): ApiRequest {
  const parts = [queue, offset].filter((part) => part !== undefined).length;
  if (id !== undefined && parts === 0) {
    return { method: "GET", path: ["v1", "messages", id, "explain"], query: { group, topic } };
  }
  if (id === undefined && parts === 2 && topic !== undefined) {
    const query = { group, topic, queueId: queue, offset };
    return { method: "GET", path: ["v1", "explain"], query };
  }
  throw new UsageError("Give a message id, or --topic, --queue and --offset together.");
}

function explanationText(answer: unknown): string {
  if (!isObject(answer)) return "The broker said nothing.\n";
  const { messageId, topic, queueId, offset, group } = answer;
  const name = typeof messageId === "string" ? ` ${show(messageId)}` : "";
  const where = typeof topic === "string" && topic !== "" ? ` in topic ${show(topic)}` : "";
  const place = typeof queueId === "number" ? `, queue ${queueId}, offset ${show(offset)}` : "";
  const head = `Message${name}${where}${place}, for group ${show(group)}:\n`;
  const causes = listAt(answer, "causes").map(({ cause, sentence, command }, index) => {
    const change = typeof command === "string" ? `\n     ${show(command)}` : "";
    return `${index + 1}. ${show(cause)}: ${show(sentence)}${change}\n`;
  });
  return head + causes.join("");
}
