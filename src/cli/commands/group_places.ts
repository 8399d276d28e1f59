/** `curlew group offsets` and the like: where a group is in a topic, and moving it. @module */
import { apiClientOf, apiOptions, type ApiRequest, listAt } from "../api_client.ts";
import { type Call, type Command, command, type ExitCode } from "../command.ts";
import { UsageError } from "../failure.ts";
import { parseMoment } from "../moments.ts";
import { show, table } from "../output.ts";
import { askAndTell } from "../resource.ts";
import { showTime } from "../units.ts";

const name = [{ name: "GROUP", help: "the group's name", required: true }] as const;
const topicOption = {
  kind: "text",
  short: "t",
  value: "TOPIC",
  required: true,
  help: "the topic",
} as const;
const topicOptions = { ...apiOptions, topic: topicOption } as const;
const resetOptions = {
  ...topicOptions,
  to: {
    kind: "text",
    value: "WHERE",
    required: true,
    help: "earliest, latest, a time as 2026-01-31T12:00:00Z, how long ago as 15m, or an offset",
  },
  queue: { kind: "count", value: "ID", help: "the queue whose offset --to names" },
  dryRun: { kind: "flag", help: "change nothing; show what would be replayed and skipped" },
} as const;
const cloneOptions = {
  ...topicOptions,
  from: { kind: "text", value: "GROUP", required: true, help: "the group to stand beside" },
} as const;

const offsetsCommand = command({
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
});

const resetCommand = command({
  name: "reset",
  summary: "Move a group's offsets in a topic",
  details: [
    "What the group holds in flight is given up: it is delivered from the new place. " +
    "`curlew group undo` takes the newest reset back.",
  ],
  args: name,
  options: resetOptions,
  examples: [
    { line: "curlew group reset billing -t orders --to latest", says: "skip what is there" },
    { line: "curlew group reset billing -t orders --to 1h --dry-run", says: "what would that do?" },
    { line: "curlew group reset billing -t orders --queue 3 --to 42", says: "one queue" },
  ],
  run: reset,
});

const undoCommand = command({
  name: "undo",
  summary: "Take the newest reset or clone in a topic back",
  details: ["What was open before comes back with its attempts; receipts from then stay expired."],
  args: name,
  options: topicOptions,
  examples: [{ line: "curlew group undo billing -t orders", says: "as it was before the reset" }],
  run: (call) => post(call, ["reset", "undo"], { topic: call.options.topic }),
});

const cloneCommand = command({
  name: "clone",
  summary: "Put a group where another one is in a topic; make it if need be",
  args: name,
  options: cloneOptions,
  examples: [
    { line: "curlew group clone audit -t orders --from billing", says: "audit goes on from there" },
  ],
  run: (call) => {
    const { topic, from } = call.options;
    return post(call, ["clone"], { topic, from });
  },
});

const eventsCommand = command({
  name: "events",
  summary: "Show what was done to a group's place in a topic, newest first",
  args: name,
  options: topicOptions,
  examples: [{ line: "curlew group events billing -t orders", says: "who reset it, and when" }],
  run: ({ host, options, args }) => {
    const path = ["v1", "groups", args[0] ?? "", "events"];
    const request = { method: "GET", path, query: { topic: options.topic } } as const;
    const printer = { host, json: options.json };
    return askAndTell(apiClientOf(host, options), request, printer, eventsTable);
  },
});

/** The commands about places, in the order the help shows them. */
export const placeCommands: readonly Command[] = [
  offsetsCommand,
  resetCommand,
  undoCommand,
  cloneCommand,
  eventsCommand,
];

function reset({ host, options, args }: Call<typeof resetOptions>): Promise<ExitCode> {
  const { topic, to, queue, dryRun } = options;
  const body = { topic, to: targetOf(to, queue, host.clock.wallMs()), dryRun: dryRun || undefined };
  const path = ["v1", "groups", args[0] ?? "", "reset"];
  const request = { method: "POST", path, body } as const;
  const printer = { host, json: options.json };
  const told = dryRun ? previewTable : placesTable;
  return askAndTell(apiClientOf(host, options), request, printer, told);
}

function post(
  { host, options, args }: Call<typeof topicOptions>,
  parts: readonly string[],
  body: unknown,
): Promise<ExitCode> {
  const path = ["v1", "groups", args[0] ?? "", ...parts];
  const request: ApiRequest = { method: "POST", path, body };
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

function previewTable(answer: unknown): string {
  const names = ["queueId", "fromOffset", "toOffset", "replayed", "skipped"];
  const rows = listAt(answer, "preview").map((row) => names.map((name) => show(row[name])));
  return table(["QUEUE", "FROM", "TO", "REPLAYED", "SKIPPED"], rows);
}

function eventsTable(answer: unknown): string {
  const events = listAt(answer, "events");
  if (events.length === 0) return "Nothing was done to the group's place there.\n";
  const rows = events.map(({ atMs, queueId, kind, fromOffset, toOffset, by }) => {
    const at = typeof atMs === "number" ? showTime(atMs) : show(atMs);
    return [at, show(queueId), show(kind), show(fromOffset), show(toOffset), show(by)];
  });
  return table(["WHEN", "QUEUE", "WHAT", "FROM", "TO", "BY"], rows);
}
