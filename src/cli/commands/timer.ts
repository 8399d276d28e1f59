/** `curlew timer`: messages that are not visible yet, looked at, called off, moved. @module */
import { limits } from "../../base/limits.ts";
import { apiClientOf, apiOptions, type ApiRequest, isObject, listAt } from "../api_client.ts";
import { type Call, command, type ExitCode, exitCodes, type Family, family } from "../command.ts";
import { UsageError } from "../failure.ts";
import { parseDue } from "../moments.ts";
import { jsonLine, pairs, show, table } from "../output.ts";
import { askAndTell, describe } from "../resource.ts";
import { showCount, showTime } from "../units.ts";

const nameArgs = [{ name: "MESSAGE-ID", help: "the timed message; or --topic and --key" }] as const;
const nameOptions = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", help: "its topic; needed with --key" },
  key: { kind: "text", value: "KEY", help: "the key its producer gave the timer" },
} as const;
const whenOptions = {
  delay: { kind: "duration", value: "TIME", help: "so long from now" },
  at: { kind: "text", value: "TIME", help: "at this date and time, or in 15m" },
} as const;
const listOptions = {
  ...apiOptions,
  topic: { kind: "text", short: "t", value: "TOPIC", required: true, help: "the topic" },
  from: { kind: "text", value: "TIME", help: "due from then on: a date and time, or in 15m" },
  to: { kind: "text", value: "TIME", help: "due until then" },
  max: {
    kind: "count",
    value: "N",
    fallback: 100,
    min: 1,
    max: limits.timersPageMax,
    help: "at most so many",
  },
} as const;

/** The family of timer commands. */
export const timerFamily: Family = family({
  name: "timer",
  summary: "List, show, cancel and move messages that are not visible yet",
  examples: [
    { line: "curlew message send -t orders --delay 30m 'remind me'", says: "makes a timer" },
    { line: "curlew timer list -t orders", says: "what is pending, by due time" },
    { line: "curlew timer cancel -t orders --key order-4711", says: "and it never comes" },
  ],
  members: [
    command({
      name: "list",
      summary: "List pending timers of a topic by due time",
      options: listOptions,
      examples: [{ line: "curlew timer list -t orders --to 1h", says: "due within the hour" }],
      run: list,
    }),
    command({
      name: "show",
      summary: "Show one pending timer",
      args: nameArgs,
      options: nameOptions,
      examples: [{ line: "curlew timer show -t orders --key order-4711", says: "by its key" }],
      run: showTimer,
    }),
    command({
      name: "cancel",
      summary: "Call a timer off",
      details: ["Ends with 0 if the timer was cancelled, with 1 if it was too late or unknown."],
      args: nameArgs,
      options: nameOptions,
      examples: [
        { line: "curlew timer cancel 7F0000010001", says: "by message id" },
        { line: "curlew timer cancel -t orders --key order-4711", says: "by key" },
      ],
      run: (call) => change(call, "DELETE", undefined, "cancelled"),
    }),
    command({
      name: "move",
      summary: "Move a timer to another time",
      details: ["Ends with 0 if the timer was moved, with 1 if it was too late or unknown."],
      args: nameArgs,
      options: { ...nameOptions, ...whenOptions },
      examples: [{ line: "curlew timer move 7F0000010001 --delay 1h", says: "in an hour" }],
      run: (call) => {
        const { delay, at } = call.options;
        if ((delay === undefined) === (at === undefined)) {
          throw new UsageError("Give one of --delay and --at.");
        }
        const deliverAtMs = at === undefined
          ? undefined
          : parseDue(at, "--at", call.host.clock.wallMs());
        return change(call, "PATCH", { delayMs: delay, deliverAtMs }, "rescheduled");
      },
    }),
  ],
});

type NameCall = Call<typeof nameOptions>;

async function list({ host, options }: Call<typeof listOptions>): Promise<ExitCode> {
  const nowMs = host.clock.wallMs();
  const { topic, from, to, max } = options;
  const query = {
    topic,
    max,
    fromMs: from === undefined ? undefined : parseDue(from, "--from", nowMs),
    toMs: to === undefined ? undefined : parseDue(to, "--to", nowMs),
  };
  const api = apiClientOf(host, options);
  const answer = await api.ask({ method: "GET", path: ["v1", "timers"], query });
  if (options.json) {
    await host.out.write(jsonLine(answer));
    return exitCodes.ok;
  }
  const timers = listAt(answer, "timers");
  const rows = timers.map(({ messageId, queueId, deliverAtMs, timerKey, bytes }) => {
    const due = typeof deliverAtMs === "number" ? showTime(deliverAtMs) : show(deliverAtMs);
    return [due, show(messageId), show(queueId), show(timerKey), show(bytes)];
  });
  if (rows.length > 0) {
    await host.out.write(table(["DUE", "MESSAGE ID", "QUEUE", "KEY", "BYTES"], rows));
  }
  const count = isObject(answer) && typeof answer["count"] === "number" ? answer["count"] : 0;
  await host.err.write(`${showCount(timers.length)} of ${showCount(count)} pending timers.\n`);
  return exitCodes.ok;
}

async function showTimer({ host, options, args }: NameCall): Promise<ExitCode> {
  const request = { method: "GET", ...nameOf(options, args) } as const;
  const api = apiClientOf(host, options);
  if (options.key === undefined) {
    return await askAndTell(api, request, { host, json: options.json }, describe);
  }
  const [timer] = listAt(await api.ask(request), "timers");
  if (timer === undefined) {
    await host.err.write(`No timer of ${options.topic} has the key ${show(options.key)}.\n`);
    return exitCodes.refused;
  }
  await host.out.write(options.json ? jsonLine(timer) : describe(timer));
  return exitCodes.ok;
}

async function change(
  { host, options, args }: NameCall,
  method: "DELETE" | "PATCH",
  body: unknown,
  wanted: string,
): Promise<ExitCode> {
  const request: ApiRequest = { method, ...nameOf(options, args), ...(body ? { body } : {}) };
  const answer = await apiClientOf(host, options).ask(request);
  const verdict = isObject(answer) ? answer["verdict"] : undefined;
  const deliverAtMs = isObject(answer) ? answer["deliverAtMs"] : undefined;
  const due = typeof deliverAtMs === "number" ? [["due", showTime(deliverAtMs)] as const] : [];
  const text = pairs([["verdict", show(verdict)], ...due]);
  await host.out.write(options.json ? jsonLine(answer) : text);
  return verdict === wanted ? exitCodes.ok : exitCodes.refused;
}

/** The path and query that name one timer. @throws {UsageError} They name none, or two. */
function nameOf({ topic, key }: NameCall["options"], [messageId]: readonly string[]) {
  if ((messageId === undefined) === (key === undefined)) {
    throw new UsageError("Name one timer: give a MESSAGE-ID, or --topic and --key.");
  }
  if (messageId !== undefined) return { path: ["v1", "timers", messageId], query: { topic } };
  if (topic === undefined) throw new UsageError("--key needs --topic: it is a key of that topic.");
  return { path: ["v1", "timers"], query: { topic, key } };
}
