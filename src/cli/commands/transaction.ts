/** `curlew transaction`: what producers left undecided, and how to decide it. @module */
import { limits } from "../../base/limits.ts";
import { apiClientOf, apiOptions, isObject, listAt } from "../api_client.ts";
import { type Call, command, type ExitCode, exitCodes, type Family, family } from "../command.ts";
import { RefusedError, UsageError } from "../failure.ts";
import { jsonLine, show, table } from "../output.ts";
import { showCount, showTime } from "../units.ts";

const ids = [{ name: "ID", help: "a transaction id", many: true }] as const;
const bulkOptions = {
  ...apiOptions,
  allParked: { kind: "flag", help: "every transaction that waits for an operator" },
} as const;
const listOptions = {
  ...apiOptions,
  state: {
    kind: "text",
    value: "STATE",
    fallback: "parked",
    choices: ["prepared", "parked", "committed", "rolled-back"],
    help: "prepared: producers are being asked; parked: asked as often as allowed",
  },
  max: {
    kind: "count",
    value: "N",
    fallback: 100,
    min: 1,
    max: limits.timersPageMax,
    help: "at most so many",
  },
} as const;

/** The family of transaction commands. */
export const transactionFamily: Family = family({
  name: "transaction",
  summary: "List undecided transactions; commit, roll back, or ask their producers again",
  examples: [
    { line: "curlew transaction list", says: "what waits for an operator" },
    { line: "curlew transaction rearm --all-parked", says: "ask all their producers again" },
  ],
  members: [
    command({
      name: "list",
      summary: "List transactions in a state",
      options: listOptions,
      examples: [{ line: "curlew transaction list --state prepared", says: "undecided so far" }],
      run: list,
    }),
    command({
      name: "commit",
      summary: "Commit: the messages become visible",
      args: ids,
      options: bulkOptions,
      examples: [{ line: "curlew transaction commit 0.1.Zk3vH8y2", says: "one" }],
      run: (call) => settle(call, "commit"),
    }),
    command({
      name: "rollback",
      summary: "Roll back: nobody will ever see the messages",
      args: ids,
      options: bulkOptions,
      examples: [{ line: "curlew transaction rollback --all-parked", says: "all that wait" }],
      run: (call) => settle(call, "rollback"),
    }),
    command({
      name: "rearm",
      summary: "Ask the producers of parked transactions again, from the beginning",
      args: ids,
      options: bulkOptions,
      examples: [{ line: "curlew transaction rearm --all-parked", says: "after a long outage" }],
      run: rearm,
    }),
  ],
});

type BulkCall = Call<typeof bulkOptions>;

async function list({ host, options }: Call<typeof listOptions>): Promise<ExitCode> {
  const { state, max } = options;
  const query = { state, max };
  const answer = await apiClientOf(host, options).ask({
    method: "GET",
    path: ["v1", "transactions"],
    query,
  });
  if (options.json) {
    await host.out.write(jsonLine(answer));
    return exitCodes.ok;
  }
  const found = listAt(answer, "transactions");
  const rows = found.map(
    ({ transactionId, producerGroup, topic, messageId, createdMs, checks }) => {
      const begun = typeof createdMs === "number" ? showTime(createdMs) : show(createdMs);
      return [transactionId, producerGroup, topic, messageId, begun, checks].map(show);
    },
  );
  const head = ["TRANSACTION", "PRODUCER GROUP", "TOPIC", "MESSAGE ID", "BEGUN", "ASKED"];
  if (rows.length > 0) await host.out.write(table(head, rows));
  const count = isObject(answer) && typeof answer["count"] === "number" ? answer["count"] : 0;
  await host.err.write(`${showCount(rows.length)} of ${showCount(count)} ${state} transactions.\n`);
  return exitCodes.ok;
}

/** One after the other: each is told, and one that is refused does not keep the rest. */
async function settle(call: BulkCall, verdict: "commit" | "rollback"): Promise<ExitCode> {
  const { host, options } = call;
  const api = apiClientOf(host, options);
  const wanted = verdict === "commit" ? "committed" : "rolled-back";
  let worst: ExitCode = exitCodes.ok;
  let settled = 0;
  for await (const id of named(call)) {
    settled++;
    try {
      const path = ["v1", "transactions", id, verdict];
      const answer = await api.ask({ method: "POST", path });
      const state = isObject(answer) ? show(answer["state"]) : "";
      const before = isObject(answer) && answer["first"] === false ? " (before)" : "";
      // The first verdict stands: whoever wanted the other one did not get it.
      if (state !== wanted) worst = exitCodes.refused;
      await host.out.write(
        options.json ? jsonLine({ transactionId: id, answer }) : `${id}  ${state}${before}\n`,
      );
    } catch (thrown) {
      if (!(thrown instanceof RefusedError)) throw thrown;
      worst = exitCodes.refused;
      await host.err.write(`${show(id)}  ${thrown.message}\n`);
    }
  }
  if (settled === 0) await host.err.write("No transaction is parked.\n");
  return worst;
}

async function rearm({ host, options, args }: BulkCall): Promise<ExitCode> {
  checkNamed(options.allParked, args);
  const path = ["v1", "transactions", "rearm"];
  const body = options.allParked ? { all: true } : { ids: args };
  const answer = await apiClientOf(host, options).ask({ method: "POST", path, body });
  const rearmed = isObject(answer) && typeof answer["rearmed"] === "number" ? answer["rearmed"] : 0;
  const what = rearmed === 1 ? "transaction" : "transactions";
  const text = `Armed ${showCount(rearmed)} ${what} again.\n`;
  await host.out.write(options.json ? jsonLine(answer) : text);
  return exitCodes.ok;
}

/** The ids given, or those that are parked, page by page. */
async function* named({ host, options, args }: BulkCall): AsyncGenerator<string> {
  checkNamed(options.allParked, args);
  if (!options.allParked) return yield* args;
  const api = apiClientOf(host, options);
  let after: string | undefined;
  do {
    const query = { state: "parked", after, max: limits.timersPageMax };
    const answer = await api.ask({ method: "GET", path: ["v1", "transactions"], query });
    for (const { transactionId } of listAt(answer, "transactions")) {
      if (typeof transactionId === "string") yield transactionId;
    }
    const next = isObject(answer) ? answer["next"] : undefined;
    after = typeof next === "string" ? next : undefined;
  } while (after !== undefined);
}

function checkNamed(allParked: boolean, args: readonly string[]): void {
  if (allParked !== (args.length > 0)) return;
  throw new UsageError("Name transactions by their ids, or give --all-parked.");
}
