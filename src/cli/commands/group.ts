/** `curlew group`: who shares the messages of a topic, and how far they are. @module */
import { limits } from "../../base/limits.ts";
import { apiClientOf, apiOptions, listAt } from "../api_client.ts";
import { type Call, command, type ExitCode, type Family, family } from "../command.ts";
import { UsageError } from "../failure.ts";
import { parseMoment } from "../moments.ts";
import { show, table } from "../output.ts";
import { askAndTell, changesOf, type Column, fieldOf, listAll, showOne } from "../resource.ts";
import { parseDuration } from "../../base/quantities.ts";
import { showDuration } from "../units.ts";

const name = [{ name: "GROUP", help: "the group's name", required: true }] as const;

const settingOptions = {
  startFrom: {
    kind: "text",
    value: "WHERE",
    choices: ["earliest", "latest"],
    help: "where the group begins in a topic it has not read yet",
  },
  attemptsMax: {
    kind: "count",
    value: "N",
    min: 1,
    max: limits.attemptsMax,
    help: "deliveries of one message before it goes to the dead-letter topic",
  },
  retryDelays: {
    kind: "text",
    value: "TIMES",
    help: "waits before the second, third, ... delivery, as 1s,10s,1m; the last repeats",
  },
  retryBackoff: {
    kind: "text",
    value: "FIRST,MAX,FACTOR[,JITTER]",
    help: "instead of a list: waits that grow, as 1s,10m,2,0.2; none: the list",
  },
  ordered: {
    kind: "text",
    value: "YES|NO",
    choices: ["yes", "no"],
    help: "one message of a sharding key at a time; a failing one parks its key only",
  },
  consume: {
    kind: "text",
    value: "ON|OFF",
    choices: ["on", "off"],
    help: "off stops all delivery to the group",
  },
} as const;

const changeOptions = { ...apiOptions, ...settingOptions } as const;

const resetOptions = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", required: true, help: "the topic" },
  to: {
    kind: "text",
    value: "WHERE",
    required: true,
    help: "earliest, latest, a time as 2026-01-31T12:00:00Z, how long ago as 15m, or an offset",
  },
  queue: { kind: "count", value: "ID", help: "the queue whose offset --to names" },
} as const;

const columns: readonly Column[] = [
  ["GROUP", (item) => show(item["group"] ?? item["name"])],
  ["STARTS FROM", (item) => show(fieldOf(item, "startFrom"))],
  ["ATTEMPTS", (item) => show(fieldOf(item, "attemptsMax"))],
  ["RETRY DELAYS", (item) => delaysCell(fieldOf(item, "retryDelaysMs"))],
  ["ORDERED", (item) => fieldOf(item, "ordered") === true ? "yes" : "no"],
  ["CONSUMES", (item) => fieldOf(item, "consumeEnabled") === false ? "off" : "on"],
];

/** The family of group commands. */
export const groupFamily: Family = family({
  name: "group",
  summary: "Make, list, change and delete consumer groups; see and move their offsets",
  examples: [
    { line: "curlew group offsets billing --topic orders", says: "how far a group is" },
    { line: "curlew group reset billing --topic orders --to 1h", says: "read the last hour again" },
  ],
  members: [
    command({
      name: "create",
      summary: "Make a consumer group",
      args: name,
      options: changeOptions,
      examples: [
        {
          line: "curlew group create billing --start-from earliest --attempts-max 5",
          says: "reads from the beginning, gives a message up after five deliveries",
        },
      ],
      run: (call) => put(call, "PUT"),
    }),
    command({
      name: "list",
      summary: "List groups and their settings",
      options: apiOptions,
      examples: [{ line: "curlew group list", says: "what exists" }],
      run: ({ host, options }) =>
        listAll(apiClientOf(host, options), "groups", columns, { host, json: options.json }),
    }),
    command({
      name: "show",
      summary: "Show one group",
      args: name,
      options: apiOptions,
      examples: [{ line: "curlew group show billing", says: "its settings" }],
      run: ({ host, options, args }) =>
        showOne(apiClientOf(host, options), "groups", args[0] ?? "", { host, json: options.json }),
    }),
    command({
      name: "change",
      summary: "Change settings of a group",
      args: name,
      options: changeOptions,
      examples: [{ line: "curlew group change billing --consume off", says: "stop delivery" }],
      run: (call) => put(call, "PATCH"),
    }),
    command({
      name: "delete",
      summary: "Delete a group and its offsets",
      args: name,
      options: apiOptions,
      examples: [{ line: "curlew group delete billing", says: "messages stay" }],
      run: ({ host, options, args }) => {
        const request = { method: "DELETE", path: ["v1", "groups", args[0] ?? ""] } as const;
        const told = () => `Deleted group ${args[0]}.\n`;
        return askAndTell(apiClientOf(host, options), request, { host, json: options.json }, told);
      },
    }),
    command({
      name: "offsets",
      summary: "Show how far a group is, queue by queue",
      args: name,
      options: {
        ...apiOptions,
        topic: { kind: "text", short: "t", value: "TOPIC", help: "only this topic" },
      },
      examples: [{ line: "curlew group offsets billing -t orders", says: "offset and lag" }],
      run: ({ host, options, args }) => {
        const path = ["v1", "groups", args[0] ?? "", "offsets"];
        const request = { method: "GET", path, query: { topic: options.topic } } as const;
        const printer = { host, json: options.json };
        return askAndTell(apiClientOf(host, options), request, printer, placesTable);
      },
    }),
    command({
      name: "reset",
      summary: "Move a group's offsets in a topic",
      details: ["What the group holds in flight is given up: it is delivered from the new place."],
      args: name,
      options: resetOptions,
      examples: [
        { line: "curlew group reset billing -t orders --to latest", says: "skip what is there" },
        { line: "curlew group reset billing -t orders --to 1h", says: "the last hour again" },
        { line: "curlew group reset billing -t orders --queue 3 --to 42", says: "one queue" },
      ],
      run: reset,
    }),
  ],
});

function put(
  { host, options, args }: Call<typeof changeOptions>,
  method: "PUT" | "PATCH",
): Promise<ExitCode> {
  const { startFrom, attemptsMax, retryDelays, retryBackoff, ordered, consume } = options;
  const settings = {
    startFrom,
    attemptsMax,
    retryDelaysMs: delaysOf(retryDelays),
    retryBackoff: backoffOf(retryBackoff),
    ordered: ordered === undefined ? undefined : ordered === "yes",
    consumeEnabled: consume === undefined ? undefined : consume === "on",
  };
  const body = method === "PATCH" ? changesOf(settings, settingOptions) : settings;
  const request = { method, path: ["v1", "groups", args[0] ?? ""], body };
  const verb = method === "PUT" ? "is there" : "is changed";
  const told = () => `Group ${args[0]} ${verb}. \`curlew group show ${args[0]}\` shows it.\n`;
  return askAndTell(apiClientOf(host, options), request, { host, json: options.json }, told);
}

function reset({ host, options, args }: Call<typeof resetOptions>): Promise<ExitCode> {
  const { topic, to, queue } = options;
  const body = { topic, to: targetOf(to, queue, host.clock.wallMs()) };
  const path = ["v1", "groups", args[0] ?? "", "reset"];
  const request = { method: "POST", path, body } as const;
  const printer = { host, json: options.json };
  return askAndTell(apiClientOf(host, options), request, printer, placesTable);
}

/** @throws {UsageError} An offset names no queue, or a queue is named without an offset. */
function targetOf(to: string, queueId: number | undefined, nowMs: number): unknown {
  const isOffset = /^\d{1,10}$/.test(to);
  if (isOffset !== (queueId !== undefined)) {
    throw new UsageError(
      "An offset means one queue: give --to OFFSET and --queue ID together, and neither alone.",
    );
  }
  if (isOffset) return { queueId, offset: Number(to) };
  return to === "earliest" || to === "latest" ? to : { timeMs: parseMoment(to, "--to", nowMs) };
}

function placesTable(answer: unknown): string {
  const places = listAt(answer, "places");
  if (places.length === 0) return "The group has no place there yet: it has not read.\n";
  const names = ["topic", "queueId", "committedOffset", "nextOffset", "maxOffset", "lag"];
  const rows = places.map((place) => {
    return [...names, "openDeliveries"].map((name) => show(place[name]));
  });
  return table(["TOPIC", "QUEUE", "COMMITTED", "NEXT", "END", "LAG", "IN FLIGHT"], rows);
}

function delaysOf(text: string | undefined): readonly number[] | undefined {
  return text?.split(",").map((part) => {
    const delayMs = parseDuration(part.trim());
    if (delayMs !== undefined) return delayMs;
    throw new UsageError(`--retry-delays needs times such as 1s,10s,1m; found "${part}".`);
  });
}

function backoffOf(text: string | undefined) {
  if (text === undefined) return undefined;
  if (text === "none") return null;
  const [first = "", max = "", factor = "", jitter = "0"] = text.split(",");
  const [firstMs, maxMs] = [parseDuration(first.trim()), parseDuration(max.trim())];
  const numbers = { factor: Number(factor), jitter: Number(jitter) };
  if (firstMs !== undefined && maxMs !== undefined && numbers.factor >= 1 && numbers.jitter >= 0) {
    return { firstMs, maxMs, ...numbers };
  }
  throw new UsageError(`--retry-backoff needs values such as 1s,10m,2,0.2; found "${text}".`);
}

function delaysCell(value: unknown): string {
  if (!Array.isArray(value)) return show(value);
  const shown = value.slice(0, 3).map((ms) => typeof ms === "number" ? showDuration(ms) : "?");
  return value.length > 3 ? `${shown.join(", ")}, ... (${value.length})` : shown.join(", ");
}
