/** `curlew message query`: find messages by id, key or time. @module */
import { apiClientOf, apiOptions, listAt } from "../api_client.ts";
import { type Call, type Command, command, type ExitCode, exitCodes } from "../command.ts";
import { UsageError } from "../failure.ts";
import { parseMoment } from "../moments.ts";
import { jsonLine, show, table } from "../output.ts";
import { bodyOf } from "../stream/message_json.ts";
import { showTime } from "../units.ts";

const bodyColumns = 48;

const optionTable = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", help: "where to look; needed without --id" },
  id: { kind: "text", value: "ID", help: "the message with this id" },
  key: { kind: "text", value: "KEY", help: "messages with this key" },
  from: { kind: "text", value: "TIME", help: "stored from then on: a date and time, or 15m ago" },
  to: { kind: "text", value: "TIME", help: "stored before then; now unless told" },
  max: { kind: "count", value: "N", fallback: 32, min: 1, max: 1024, help: "at most so many" },
} as const;

/** Finds. */
export const messageQuery: Command = command({
  name: "query",
  summary: "Find messages by id, by key, or by the time they were stored",
  details: ["Give one of --id, --key, and --from (with --to, if you like)."],
  options: optionTable,
  examples: [
    { line: "curlew message query -t orders --key 4711", says: "what happened to order 4711" },
    { line: "curlew message query --id 7F00…01", says: "where is it?" },
    { line: "curlew message query -t orders --from 15m --json", says: "the last quarter hour" },
  ],
  run,
});

async function run({ host, options }: Call<typeof optionTable>): Promise<ExitCode> {
  const { topic, id, key, from, to, max } = options;
  const ways = [id, key, from].filter((way) => way !== undefined).length;
  if (ways !== 1 || (to !== undefined && from === undefined)) {
    throw new UsageError("Give one of --id, --key, and --from (with --to, if you like).");
  }
  if (topic === undefined && id === undefined) {
    throw new UsageError("--key and --from need --topic TOPIC: where to look.");
  }
  const nowMs = host.clock.wallMs();
  const fromMs = from === undefined ? undefined : parseMoment(from, "--from", nowMs);
  const toMs = to !== undefined
    ? parseMoment(to, "--to", nowMs)
    : fromMs === undefined
    ? undefined
    : nowMs;
  const query = { topic, id, key, fromMs, toMs, max };
  const api = apiClientOf(host, options);
  const messages = listAt(
    await api.ask({ method: "GET", path: ["v1", "messages"], query }),
    "messages",
  );
  if (options.json) await host.out.write(messages.map(jsonLine).join(""));
  else if (messages.length === 0) await host.err.write("No message was found.\n");
  else await host.out.write(foundTable(messages));
  return messages.length > 0 ? exitCodes.ok : exitCodes.refused;
}

function foundTable(messages: readonly Readonly<Record<string, unknown>>[]): string {
  const rows = messages.map((message) => {
    const { messageId, topic, queueId, offset, tag, keys, storedMs } = message;
    const text = show(new TextDecoder().decode(bodyOf(message)));
    const body = text.length > bodyColumns ? `${text.slice(0, bodyColumns - 1)}…` : text;
    const stored = typeof storedMs === "number" ? showTime(storedMs) : show(storedMs);
    const keyText = Array.isArray(keys) ? show(keys.join(" ")) : show(keys);
    return [
      show(messageId),
      show(topic),
      show(queueId),
      show(offset),
      stored,
      show(tag),
      keyText,
      body,
    ];
  });
  return table(["MESSAGE ID", "TOPIC", "QUEUE", "OFFSET", "STORED", "TAG", "KEYS", "BODY"], rows);
}
