/** Joins `curlew import` to files and sockets. Imported by that command only. @module */
import { systemFiles } from "../../runtime/node/files.ts";
import type { Host } from "../../ports/host.ts";
import { apiClientOf } from "../api_client.ts";
import { parseAddress } from "../bench/sockets.ts";
import type { Call, ExitCode } from "../command.ts";
import { exitCodes } from "../command.ts";
import type { Import, importOptions } from "../commands/import.ts";
import { RefusedError, UsageError } from "../failure.ts";
import { parseSource } from "../import/facts.ts";
import { type BrokerSurvey, type Plan, planImport } from "../import/plan.ts";
import { addressText, type Credentials } from "../import/remoting_client.ts";
import {
  type ImportReport,
  messagesIn,
  previewText,
  problemsOf,
  reportText,
} from "../import/report.ts";
import { ImportRun, reportPath, statePath, writeReport } from "../import/run.ts";
import { openSource, type Source, sourceHint } from "../import/source.ts";
import { type ImportState, StateFile } from "../import/state.ts";
import { readTrust, tlsWantedHint } from "../import/trust.ts";
import { estimateBytes, pendingAtSource, surveySource, surveyTarget } from "../import/survey.ts";
import { findTarget, Target } from "../import/target.ts";
import { jsonLine } from "../output.ts";
import { streamGiveUpMs } from "../patience.ts";
import { showProgress } from "../progress.ts";
import { showCount } from "../units.ts";

/** How often progress is told where nobody looks at a terminal. */
const tellEveryMs = 10_000;

type Options = Call<typeof importOptions>["options"];

/** Both sides, open. */
type Sides = {
  readonly host: Host;
  readonly options: Options;
  readonly source: Source;
  readonly sourceName: string;
  readonly target: Target;
  readonly targetName: string;
};

/** Does the command. */
export const runImport: Import = async ({ host, options, args }) => {
  const nameServers = parseSource(args[0] ?? "");
  const sourceName = `rocketmq://${nameServers.map(addressText).join(";")}`;
  const api = apiClientOf(host, options);
  const address = options.target === undefined
    ? await findTarget(`${api.address}/`, options.timeoutMs)
    : parseAddress(options.target, "--target");
  const { timeoutMs } = options;
  const credentials = credentialsOf(host, options);
  const trust = options.tls === undefined ? undefined : await readTrust(options.tls, systemFiles);
  const source = await openSource(nameServers, {
    host,
    timeoutMs,
    serializer: "json",
    hint: sourceHint,
    trust,
    ...(trust === undefined && { hintWhenClosed: tlsWantedHint }),
    ...(credentials && { credentials }),
  });
  const target = new Target(address, {
    host,
    timeoutMs,
    serializer: "binary",
    hint: "Name the Curlew to copy to with --url, or its remoting listener with --target",
    hintWhenClosed: "A Curlew whose tlsMode is enforcing closes so: let it be permissive meanwhile",
  });
  const sides = { host, options, source, sourceName, target, targetName: addressText(address) };
  try {
    checkSides(sides);
    return options.preview ? await preview(sides) : await copy(sides);
  } finally {
    source.close();
    target.close();
  }
};

function credentialsOf(host: Host, { accessKey }: Options): Credentials | undefined {
  if (accessKey === undefined) return undefined;
  const secretKey = host.env["CURLEW_IMPORT_SECRET"];
  if (secretKey !== undefined) return { accessKey, secretKey };
  throw new UsageError("--access-key needs the secret key that belongs to it.", secretHint);
}

const secretHint = "Put it into CURLEW_IMPORT_SECRET, where no list of processes shows it";

/** @throws {UsageError} A broker would be copied into itself. */
function checkSides({ source, targetName }: Sides): void {
  if (!source.brokers.some(({ address }) => addressText(address) === targetName)) return;
  throw new UsageError(
    `The source's broker ${targetName} is the target too.`,
    "Name the Curlew to copy to with --url",
  );
}

async function planOf(
  { source, target, options }: Sides,
  state: ImportState,
): Promise<{ readonly plan: Plan; readonly brokers: readonly BrokerSurvey[] }> {
  const brokers = await surveySource(source);
  const wishes = {
    topics: namesOf(options.topics),
    groups: namesOf(options.groups),
    deadLetters: options.deadLetters,
    append: options.append,
  };
  const begun = new Set(state.queues.map(({ topic }) => topic));
  const plan = planImport(brokers, await surveyTarget(target, brokers), wishes, begun);
  const pending = await pendingAtSource(source, brokers);
  return { plan: { ...plan, leftOut: [...plan.leftOut, ...pending] }, brokers };
}

function namesOf(list: readonly string[]): string[] {
  return list.flatMap((each) => each.split(",")).map((each) => each.trim()).filter(Boolean);
}

async function preview(sides: Sides): Promise<ExitCode> {
  const { host, options, source, sourceName, targetName } = sides;
  const file = new StateFile(statePath(options.work), systemFiles);
  const { plan } = await planOf(sides, await file.read(host, sourceName, targetName));
  const bytes = new Map<string, number>();
  for (const topic of plan.topics) bytes.set(topic.name, await estimateBytes(source, topic));
  const text = options.json
    ? jsonLine({ source: sourceName, target: targetName, ...previewJson(plan, bytes) })
    : previewText(plan, bytes);
  await host.out.write(text);
  return plan.leftOut.some(({ problem }) => problem) ? exitCodes.refused : exitCodes.ok;
}

function previewJson(plan: Plan, bytes: ReadonlyMap<string, number>) {
  const topics = plan.topics.map(({ name, queues, messages, isNew }) => {
    return { name, queues, messages, bytes: bytes.get(name) ?? 0, isNew };
  });
  const groups = plan.groups.map(({ name, places, lag, isNew }) => ({ name, places, lag, isNew }));
  return { topics, groups, leftOut: plan.leftOut };
}

async function copy(sides: Sides): Promise<ExitCode> {
  const { work } = sides.options;
  const { host } = sides;
  await systemFiles.makeDirectory(work);
  const lock = await systemFiles.lockDirectory(work, host.clock.wallMs());
  if (lock.kind !== "locked") {
    throw new RefusedError("work_in_use", `Another import works in ${work}.`, false);
  }
  try {
    return await copyLocked(sides);
  } finally {
    await lock.release();
  }
}

async function copyLocked(sides: Sides): Promise<ExitCode> {
  const { host, options, source, target, sourceName, targetName } = sides;
  const stateFile = new StateFile(statePath(options.work), systemFiles);
  const state = await stateFile.read(host, sourceName, targetName);
  const { plan } = await planOf(sides, state);
  const stop = host.takeStopSignals();
  const run = new ImportRun(plan, state, {
    sourceName,
    targetName,
    jobs: options.jobs,
    perSecond: options.rate,
    giveUpMs: streamGiveUpMs,
    verification: options.verify === "contents" ? "contents" : "counts",
  }, { host, source, target, stateFile, stop });
  const endProgress = tellProgress(host, run, toCopy(plan, state));
  let report: ImportReport;
  try {
    report = await run.run();
  } finally {
    await endProgress();
  }
  await writeReport(options.work, report, systemFiles);
  const path = reportPath(options.work);
  await host.out.write(options.json ? jsonLine(report) : reportText(report, path));
  if (report.outcome === "interrupted") return exitCodes.interrupted;
  return problemsOf(report).length > 0 || report.outcome === "failed"
    ? exitCodes.refused
    : exitCodes.ok;
}

/** Messages that earlier runs have not copied. */
function toCopy(plan: Plan, state: ImportState): number {
  const planned = messagesIn(plan.topics);
  const names = new Set(plan.topics.map(({ name }) => name));
  return state.queues.filter(({ topic }) => names.has(topic)).reduce(
    (left, { next, firstOffset }) => left - (next - firstOffset),
    planned,
  );
}

/** A line that is drawn over for a person, a line now and then for a log. */
function tellProgress(host: Host, run: ImportRun, total: number): () => Promise<void> {
  const endLine = showProgress(host, () => ({
    done: run.tally.copied,
    fraction: total <= 0 ? undefined : (run.tally.copied + run.tally.found) / total,
    trouble: run.tally.trouble,
  }));
  if (host.err.isTerminal) return endLine;
  let told = Promise.resolve();
  const end = host.every(tellEveryMs, () => {
    const { copied, trouble } = run.tally;
    const waits = trouble === undefined ? "" : `; waiting: ${trouble}`;
    const line = `copied ${showCount(copied)} of ${showCount(Math.max(total, copied))}${waits}\n`;
    // Whoever stopped reading the log did not stop the import.
    told = host.err.write(line).catch(() => {});
  });
  return async () => {
    end();
    await told;
    await endLine();
  };
}
