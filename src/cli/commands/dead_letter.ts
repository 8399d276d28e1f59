/** `curlew dead-letter`: what groups gave up on, and sending it back. @module */
import { counted } from "../../core/explain_words.ts";
import { limits } from "../../base/limits.ts";
import { apiClientOf, apiOptions, type ApiRequest, isObject, listAt } from "../api_client.ts";
import { type Call, command, type ExitCode, type Family, family } from "../command.ts";
import { UsageError } from "../failure.ts";
import { show, table } from "../output.ts";
import { askAndTell, describe } from "../resource.ts";
import { showTime } from "../units.ts";

const name = [{ name: "GROUP", help: "the group's name", required: true }] as const;
const letter = [...name, { name: "ID", help: "the message id", required: true }] as const;
const listOptions = {
  ...apiOptions,
  max: {
    kind: "count",
    value: "N",
    fallback: 32,
    min: 1,
    max: limits.pullMessagesMax,
    help: "at most so many",
  },
  after: { kind: "text", value: "PLACE", help: "where the page before ended" },
} as const;
const choiceOptions = {
  ...apiOptions,
  all: { kind: "flag", help: "all there are now" },
  id: { kind: "list", value: "ID", help: "the one with this message id; may be given many times" },
  max: {
    kind: "count",
    value: "N",
    min: 1,
    max: limits.redriveIdsMax,
    help: "so many of the oldest",
  },
} as const;
const redriveOptions = {
  ...choiceOptions,
  perSecond: {
    kind: "count",
    value: "N",
    min: 1,
    max: limits.redrivePerSecondMax,
    help: "letters a second; the broker's default unless told",
  },
} as const;
const stopOptions = {
  ...apiOptions,
  stop: { kind: "text", value: "ID", help: "stop this one" },
} as const;

/** The family of dead-letter commands. */
export const deadLetterFamily: Family = family({
  name: "dead-letter",
  summary: "See what a group gave up on; send it back, or drop it",
  examples: [
    { line: "curlew dead-letter list billing", says: "what failed, and why" },
    { line: "curlew dead-letter redrive billing --all", says: "try all of it again" },
  ],
  members: [
    command({
      name: "list",
      summary: "List a group's dead letters",
      args: name,
      options: listOptions,
      examples: [{ line: "curlew dead-letter list billing", says: "origin, reason, attempts" }],
      run: (call) => {
        const { max, after } = call.options;
        const request = { method: "GET", path: pathOf(call), query: { max, after } } as const;
        return ask(call, request, lettersTable);
      },
    }),
    command({
      name: "show",
      summary: "Show one dead letter with its message",
      args: letter,
      options: apiOptions,
      examples: [{ line: "curlew dead-letter show billing 7F00…01", says: "all of it" }],
      run: (call) => {
        const path = pathOf(call, call.args[1] ?? "");
        return ask(call, { method: "GET", path }, describe);
      },
    }),
    command({
      name: "redrive",
      summary: "Send dead letters back to the topics they came from",
      details: [
        "Begins and returns; `curlew dead-letter redrives` shows how far it is. A letter goes " +
        "back exactly once, with its message id, and its attempts are counted anew.",
      ],
      args: name,
      options: redriveOptions,
      examples: [
        { line: "curlew dead-letter redrive billing --all --per-second 50", says: "gently" },
        { line: "curlew dead-letter redrive billing --id 7F00…01", says: "one" },
      ],
      run: (call) => {
        const body = { ...choiceOf(call), perSecond: call.options.perSecond };
        const request = { method: "POST", path: pathOf(call, "redrive"), body } as const;
        return ask(call, request, describe);
      },
    }),
    command({
      name: "redrives",
      summary: "Show redrives since the broker started, or stop one",
      args: name,
      options: stopOptions,
      examples: [
        { line: "curlew dead-letter redrives billing", says: "how far they are" },
        { line: "curlew dead-letter redrives billing --stop lk3-1", says: "no further" },
      ],
      run: (call) => {
        const { stop } = call.options;
        const path = ["v1", "groups", call.args[0] ?? "", "redrives"];
        if (stop === undefined) return ask(call, { method: "GET", path }, redrivesTable);
        return ask(call, { method: "DELETE", path: [...path, stop] }, describe);
      },
    }),
    command({
      name: "purge",
      summary: "Drop dead letters",
      args: name,
      options: choiceOptions,
      examples: [{ line: "curlew dead-letter purge billing --all", says: "they are not missed" }],
      run: (call) => {
        const path = pathOf(call, "purge");
        return ask(call, { method: "POST", path, body: choiceOf(call) }, (answer) => {
          const purged = isObject(answer) ? Number(answer["purged"] ?? 0) : 0;
          return `Dropped ${counted(purged, "dead letter")}.\n`;
        });
      },
    }),
  ],
});

function pathOf({ args }: Pick<Call<typeof apiOptions>, "args">, ...more: readonly string[]) {
  return ["v1", "groups", args[0] ?? "", "dead-letters", ...more];
}

function ask(
  { host, options }: Call<typeof apiOptions>,
  request: ApiRequest,
  told: (answer: unknown) => string,
): Promise<ExitCode> {
  const printer = { host, json: options.json };
  return askAndTell(apiClientOf(host, options), request, printer, told);
}

/** @throws {UsageError} Not exactly one way to choose is given. */
function choiceOf({ options }: Call<typeof choiceOptions>) {
  const { all, id, max } = options;
  const ids = id ?? [];
  const ways = [all, ids.length > 0, max !== undefined].filter(Boolean).length;
  if (ways !== 1) throw new UsageError("Give one of --all, --id and --max.");
  if (all) return { all };
  return max === undefined ? { messageIds: ids } : { max };
}

function lettersTable(answer: unknown): string {
  const letters = listAt(answer, "deadLetters");
  if (letters.length === 0) return "There are no dead letters.\n";
  const rows = letters.map((letter) => {
    const { originTopic, originQueueId, originOffset, reason, attempts, diedMs } = letter;
    const died = typeof diedMs === "number" ? showTime(diedMs) : show(diedMs);
    const origin = [originTopic, originQueueId, originOffset].map(show);
    return [show(letter["messageId"]), ...origin, show(reason), show(attempts), died];
  });
  const head = ["MESSAGE ID", "TOPIC", "QUEUE", "OFFSET", "REASON", "ATTEMPTS", "DIED"];
  const next = isObject(answer) && typeof answer["next"] === "string"
    ? `More: --after ${show(answer["next"])}\n`
    : "";
  return table(head, rows) + next;
}

function redrivesTable(answer: unknown): string {
  const redrives = listAt(answer, "redrives");
  if (redrives.length === 0) return "Nothing was redriven since the broker started.\n";
  const names = ["id", "state", "redriven", "gone", "left", "perSecond", "problem"];
  const rows = redrives.map((redrive) => names.map((name) => show(redrive[name])));
  return table(["ID", "STATE", "REDRIVEN", "GONE", "LEFT", "PER SECOND", "PROBLEM"], rows);
}
