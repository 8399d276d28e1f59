/** What an import did, for programs and for people. @module */
import { safeText } from "../../base/log.ts";
import { table } from "../output.ts";
import { showBytes, showCount, showDuration } from "../units.ts";
import { passedOf } from "./offset_map.ts";
import type { PlaceReport } from "./places.ts";
import { type LeftOut, type Plan, type TopicPlan, usualReasons } from "./plan.ts";
import type { QueueState } from "./state.ts";
import type { Verification } from "./verify.ts";

/** One queue. `offsets` are from, up to, and end excluded. */
export type QueueReport = {
  readonly topic: string;
  readonly broker: string;
  readonly queueId: number;
  readonly targetQueueId: number;
  readonly sourceOffsets: readonly [number, number];
  readonly targetOffsets: readonly [number, number];
  /** Copied by this run and those before it. */
  readonly copied: number;
  /** Could not be copied. */
  readonly skipped: number;
  /** Offsets that have no message at the source. */
  readonly missing: number;
  /** Messages of others between the copied ones. */
  readonly others: number;
  /** Not copied yet. */
  readonly left: number;
  readonly verified: Verification | "no";
  readonly problem?: string;
};

/** A message that was left behind. */
export type SkippedReport = {
  readonly topic: string;
  readonly broker: string;
  readonly queueId: number;
  readonly offset: number;
  readonly why: string;
};

/** The whole report, as the file has it. */
export type ImportReport = {
  readonly source: string;
  readonly target: string;
  readonly startedMs: number;
  readonly tookMs: number;
  readonly outcome: "done" | "failed" | "interrupted";
  /** Messages that this run copied. */
  readonly copiedNow: number;
  /** Messages of an earlier run that this one found at the target, and did not send again. */
  readonly foundNow: number;
  readonly queues: readonly QueueReport[];
  /** Groups that are at the target now. */
  readonly groups: readonly string[];
  readonly places: readonly PlaceReport[];
  readonly skipped: readonly SkippedReport[];
  readonly leftOut: readonly LeftOut[];
  /** Of topics and groups that could not be made. */
  readonly problems: readonly string[];
};

/** What the queues of a state came to. */
export function queueReport(
  state: QueueState,
  end: number,
  verified: QueueReport["verified"],
  problem: string | undefined,
): QueueReport {
  const { topic, broker, queueId, targetQueueId, firstOffset, next, targetNext } = state;
  return {
    topic,
    broker,
    queueId,
    targetQueueId,
    sourceOffsets: [firstOffset, next],
    targetOffsets: [state.stretches[0]?.[1] ?? targetNext, targetNext],
    ...passedOf(state),
    skipped: state.skipped,
    left: Math.max(0, end - next),
    verified,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Everything that went wrong, a line each. */
export function problemsOf(report: ImportReport): string[] {
  const { queues, places, leftOut, skipped } = report;
  return [
    ...leftOut.filter(({ problem }) => problem).map(({ kind, name, why }) => {
      return `${kind} ${name} was not copied: ${why}`;
    }),
    ...report.problems,
    ...queues.filter((queue) => queue.problem !== undefined).map((queue) => {
      return `topic ${queue.topic}, queue ${queue.queueId} of ${queue.broker}: ${queue.problem}`;
    }),
    ...skipped.map(({ topic, queueId, offset, why }) => {
      return `topic ${topic}, queue ${queueId}: the message at ${offset} was skipped: ${why}`;
    }),
    ...places.filter(({ outcome }) => outcome === "failed").map((place) => {
      return `group ${place.group}, topic ${place.topic}, queue ${place.targetQueueId}: ` +
        `its place was not set: ${place.problem}`;
    }),
  ];
}

/** The report for a person. `path`: where the file is. */
export function reportText(report: ImportReport, path: string): string {
  const { queues, places } = report;
  const topics = [...new Set(queues.map(({ topic }) => topic))];
  const rows = topics.map((topic) => {
    const own = queues.filter((queue) => queue.topic === topic);
    const sum = (pick: (queue: QueueReport) => number) =>
      showCount(own.reduce((total, queue) => total + pick(queue), 0));
    const verified = own.filter((queue) => queue.verified !== "no").length;
    const whole = [`${verified} of ${own.length} queues`];
    const counts = [sum(({ copied }) => copied), sum(({ skipped }) => skipped)];
    const more = [sum(({ missing }) => missing), sum(({ left }) => left)];
    return [topic, ...counts, ...more, ...whole];
  });
  const set = (outcome: PlaceReport["outcome"]) =>
    places.filter((place) => place.outcome === outcome).length;
  const head = ["TOPIC", "COPIED", "SKIPPED", "MISSING", "LEFT", "VERIFIED"];
  const lines = [
    rows.length === 0 ? "No topic was copied.\n" : table(head, rows),
    `\nGroups: ${report.groups.length}, their places: ${set("set")} set, ${
      set("copying")
    } behind what is ` +
    `copied, ${set("kept")} kept as they were at the target, ${set("failed")} failed.\n`,
    `${showCount(report.copiedNow)} messages in ${showDuration(report.tookMs)}` +
    (report.foundNow === 0 ? ". " : `; ${showCount(report.foundNow)} were there already. `),
    `The report is ${safeText(path)}.\n`,
    ...listText("Not as it should be:", problemsOf(report)),
    endings[report.outcome],
  ];
  return lines.join("");
}

const endings: Readonly<Record<ImportReport["outcome"], string>> = {
  done: "\nDone. What arrives at the source from now on is copied by running the command again.\n",
  failed: "\nNot all was copied. The same command goes on where this one ended.\n",
  interrupted: "\nInterrupted. The same command goes on where this one ended.\n",
};

/** What would be done, for a person. `bytes` by topic. */
export function previewText(plan: Plan, bytes: ReadonlyMap<string, number>): string {
  const topics = plan.topics.map((topic) => [
    topic.name,
    String(topic.queues.length),
    showCount(topic.messages),
    `about ${showBytes(bytes.get(topic.name) ?? 0)}`,
    topic.isNew ? "new" : "exists",
  ]);
  const groups = plan.groups.map((group) => [
    group.name,
    String(new Set(group.places.map(({ topic }) => topic)).size),
    showCount(group.lag),
    group.isNew ? "new" : "exists",
  ]);
  const { broker, notAsked } = usualReasons;
  const usual = (reason: string) => plan.leftOut.filter(({ why }) => why === reason).length;
  const rows = plan.leftOut.filter(({ why }) => why !== broker && why !== notAsked).map((
    { kind, name, why, problem },
  ) => [
    problem ? "cannot" : "stays",
    kind,
    safeText(name),
    why,
  ]);
  return [
    topics.length === 0
      ? "There is no topic to copy.\n"
      : table(["TOPIC", "QUEUES", "MESSAGES", "BYTES", "AT THE TARGET"], topics),
    groups.length === 0 ? "" : `\n${table(["GROUP", "TOPICS", "LAG", "AT THE TARGET"], groups)}`,
    rows.length === 0 ? "" : `\n${table(["LEFT OUT", "", "NAME", "WHY"], rows)}`,
    `\nNot listed: ${usual(broker)} names of the brokers' own, ${usual(notAsked)} not asked for.\n`,
    `Nothing was written: ${showCount(messagesIn(plan.topics))} messages would be copied.\n`,
  ].join("");
}

/** How many messages topics have. */
export function messagesIn(topics: readonly TopicPlan[]): number {
  return topics.reduce((sum, { messages }) => sum + messages, 0);
}

const listedMax = 20;

function listText(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const listed = lines.slice(0, listedMax).map((line) => `- ${safeText(line)}\n`);
  const rest = lines.length - listedMax;
  return [`\n${title}\n`, ...listed, rest > 0 ? `- and ${rest} more, in the report\n` : ""];
}
