/** `curlew topic`: what messages are sent to. @module */
import { limits } from "../../base/limits.ts";
import { apiClientOf, apiOptions } from "../api_client.ts";
import {
  type Call,
  command,
  type ExitCode,
  type Family,
  family,
  type ValuesOf,
} from "../command.ts";
import { UsageError } from "../failure.ts";
import { show } from "../output.ts";
import { askAndTell, changesOf, type Column, fieldOf, listAll, showOne } from "../resource.ts";
import { parseBytes, parseDuration } from "../../base/quantities.ts";
import { showBytes, showDuration } from "../units.ts";

const name = [{ name: "TOPIC", help: "the topic's name", required: true }] as const;

const settingOptions = {
  queues: {
    kind: "count",
    value: "N",
    min: 1,
    max: limits.queuesPerTopicMax,
    help: "how many queues; may grow later, never shrink",
  },
  durability: {
    kind: "text",
    value: "KIND",
    choices: ["power-loss", "process-crash"],
    help: "what an acknowledged message survives",
  },
  retention: { kind: "duration", value: "TIME", help: "delete messages older than this, as 7d" },
  retentionBytes: {
    kind: "text",
    value: "SIZE",
    help: "delete the oldest above this size, as 10GiB; none: no such bound",
  },
  ordered: {
    kind: "text",
    value: "YES|NO",
    choices: ["yes", "no"],
    help: "queues cannot be added later, so that a sharding key keeps its queue",
  },
  messageTtl: {
    kind: "text",
    value: "TIME",
    help: "pass over messages not consumed for so long, as 10m; none: they never expire",
  },
  dedupe: {
    kind: "text",
    value: "WHICH",
    choices: ["explicit", "all", "off"],
    help: "which messages are stored once when they are sent again; explicit: those with a " +
      "messageId of their producer's",
  },
  perm: {
    kind: "text",
    value: "WHAT",
    choices: ["read-write", "read-only", "write-only", "none"],
    help: "what clients may do with the topic",
  },
  deleteUnread: {
    kind: "text",
    value: "YES|NO",
    choices: ["yes", "no"],
    help: "whether retention also deletes what a group has not read yet",
  },
} as const;

const changeOptions = { ...apiOptions, ...settingOptions } as const;

const columns: readonly Column[] = [
  ["TOPIC", (item) => show(item["topic"] ?? item["name"])],
  ["QUEUES", (item) => show(fieldOf(item, "queues"))],
  ["DURABILITY", (item) => show(fieldOf(item, "durability"))],
  ["RETENTION", (item) => durationCell(fieldOf(item, "retentionMs"))],
  ["BYTES MAX", (item) => bytesCell(fieldOf(item, "retentionBytes"))],
  ["DELETES UNREAD", (item) => fieldOf(item, "deleteUnread") === true ? "yes" : "no"],
];

/** The family of topic commands. */
export const topicFamily: Family = family({
  name: "topic",
  summary: "Make, list, change and delete topics",
  examples: [
    { line: "curlew topic create orders --queues 8 --retention 7d", says: "a topic of 8 queues" },
    { line: "curlew topic list", says: "what exists" },
  ],
  members: [
    command({
      name: "create",
      summary: "Make a topic",
      details: ["Making a topic that exists with the same settings changes nothing and succeeds."],
      args: name,
      options: changeOptions,
      examples: [
        { line: "curlew topic create orders", says: "with the broker's defaults" },
        {
          line: "curlew topic create clicks --queues 16 --durability process-crash",
          says: "many queues, and faster sends that may be lost with the power",
        },
      ],
      run: (call) => put(call, "PUT"),
    }),
    command({
      name: "list",
      summary: "List topics and their settings",
      options: apiOptions,
      examples: [
        { line: "curlew topic list --json | jq -r '.topics[].name'", says: "names only" },
      ],
      run: ({ host, options }) =>
        listAll(apiClientOf(host, options), "topics", columns, { host, json: options.json }),
    }),
    command({
      name: "show",
      summary: "Show one topic",
      args: name,
      options: apiOptions,
      examples: [{ line: "curlew topic show orders", says: "its settings" }],
      run: ({ host, options, args }) =>
        showOne(apiClientOf(host, options), "topics", args[0] ?? "", { host, json: options.json }),
    }),
    command({
      name: "change",
      summary: "Change settings of a topic",
      args: name,
      options: changeOptions,
      examples: [
        { line: "curlew topic change orders --queues 16", says: "more queues" },
        { line: "curlew topic change orders --retention-bytes none", says: "lift the bound" },
      ],
      run: (call) => put(call, "PATCH"),
    }),
    command({
      name: "delete",
      summary: "Delete a topic and every message in it",
      args: name,
      options: apiOptions,
      examples: [{ line: "curlew topic delete orders", says: "there is no way back" }],
      run: ({ host, options, args }) => {
        const request = { method: "DELETE", path: ["v1", "topics", args[0] ?? ""] } as const;
        const told = () => `Deleted topic ${args[0]}.\n`;
        return askAndTell(apiClientOf(host, options), request, { host, json: options.json }, told);
      },
    }),
  ],
});

function put(
  { host, options, args }: Call<typeof changeOptions>,
  method: "PUT" | "PATCH",
): Promise<ExitCode> {
  const settings = settingsOf(options);
  const body = method === "PATCH" ? changesOf(settings, settingOptions) : settings;
  const request = { method, path: ["v1", "topics", args[0] ?? ""], body };
  const verb = method === "PUT" ? "is there" : "is changed";
  const told = () => `Topic ${args[0]} ${verb}. \`curlew topic show ${args[0]}\` shows it.\n`;
  return askAndTell(apiClientOf(host, options), request, { host, json: options.json }, told);
}

function settingsOf(options: ValuesOf<typeof changeOptions>): Readonly<Record<string, unknown>> {
  const { queues, durability, retention, retentionBytes, deleteUnread } = options;
  const { ordered, messageTtl, dedupe, perm } = options;
  return {
    queues,
    dedupe,
    perm,
    ordered: ordered === undefined ? undefined : ordered === "yes",
    messageTtlMs: durationOrNone(messageTtl),
    durability,
    retentionMs: retention,
    retentionBytes: sizeOrNone(retentionBytes),
    deleteUnread: deleteUnread === undefined ? undefined : deleteUnread === "yes",
  };
}

function sizeOrNone(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === "none") return null;
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new UsageError(`--retention-bytes needs a size such as 10GiB, or none; found "${text}".`);
}

function durationOrNone(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === "none") return null;
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new UsageError(`--message-ttl needs a time such as 10m, or none; found "${text}".`);
}

function durationCell(value: unknown): string {
  return typeof value === "number" ? showDuration(value) : show(value);
}

function bytesCell(value: unknown): string {
  return typeof value === "number" ? showBytes(value) : "none";
}
