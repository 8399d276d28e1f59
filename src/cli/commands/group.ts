/** `curlew group`: who shares the messages of a topic, and how far they are. @module */
import { limits } from "../../base/limits.ts";
import { apiClientOf, apiOptions, isObject } from "../api_client.ts";
import { type Call, command, type ExitCode, type Family, family } from "../command.ts";
import { UsageError } from "../failure.ts";
import { show } from "../output.ts";
import { askAndTell, changesOf, type Column, fieldOf, listAll, showOne } from "../resource.ts";
import { parseDuration } from "../../base/quantities.ts";
import { showDuration } from "../units.ts";
import { keyCommands } from "./group_keys.ts";
import { placeCommands } from "./group_places.ts";

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

const columns: readonly Column[] = [
  ["GROUP", (item) => show(item["group"] ?? item["name"])],
  ["STARTS FROM", (item) => show(fieldOf(item, "startFrom"))],
  ["ATTEMPTS", (item) => show(fieldOf(item, "attemptsMax"))],
  ["RETRY DELAYS", (item) => retriesCell(item)],
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
    ...placeCommands,
    ...keyCommands,
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

/** The waits that count: a backoff stands before the list. */
function retriesCell(item: Readonly<Record<string, unknown>>): string {
  const backoff = fieldOf(item, "retryBackoff");
  if (!isObject(backoff)) return delaysCell(fieldOf(item, "retryDelaysMs"));
  const { firstMs, maxMs, factor } = backoff;
  return `${showDuration(Number(firstMs))} times ${show(factor)} up to ${
    showDuration(Number(maxMs))
  }`;
}

function delaysCell(value: unknown): string {
  if (!Array.isArray(value)) return show(value);
  const shown = value.slice(0, 3).map((ms) => typeof ms === "number" ? showDuration(ms) : "?");
  return value.length > 3 ? `${shown.join(", ")}, ... (${value.length})` : shown.join(", ");
}
