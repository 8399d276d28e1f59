/**
 * One step of a program: the command that runs it, and what must be true of it afterwards.
 *
 * @module
 */
import { join } from "node:path";
import { faultOfBenchmark, report } from "./benchmarks.ts";
import type { Broker } from "./brokers.ts";
import { type ChildEnd, runChild } from "./children.ts";
import { complaintsIn } from "./complaints.ts";
import { goCommand } from "./go_build.ts";
import { javaWords, makeUserHome } from "./java_build.ts";
import type { Program, Step } from "./programs.ts";
import { createTopic } from "./topics.ts";

/** Past every program's own deadline: this one is for a process that cannot even tell. */
const stepTimeoutMs = 200_000;
const aliOnsTopics = ["ali_shared", "ali_broadcast", "ali_retried"] as const;
const benchmarkQueues = 8;
const measured = /^ {2}measured: /;

/** Where a program runs: against which broker, under which name, with its files below `home`. */
export type Place = {
  /** Takes what a program measured, line by line. */
  readonly say: (line: string) => void;
  readonly root: string;
  readonly broker: Broker;
  readonly run: string;
  readonly home: string;
};

/** What went wrong, and all that the process said. */
export type Fault = { readonly step: Step; readonly reason: string; readonly output: string };

/** Runs the steps of a program, one after the other or at the same time, up to the first fault. */
export async function runSteps(program: Program, place: Place): Promise<Fault | undefined> {
  const topic = benchmarkTopic(place);
  if (program.steps.some((step) => step.words.includes("{topic}"))) {
    await createTopic(place.broker, topic, benchmarkQueues);
  }
  const runs = program.steps.map((step, at) => () => runStep(program, step, place, at));
  if (program.together) return (await Promise.all(runs.map((run) => run()))).find(Boolean);
  for (const run of runs) {
    const fault = await run();
    if (fault !== undefined) return fault;
  }
  return undefined;
}

async function runStep(
  program: Program,
  asked: Step,
  place: Place,
  at: number,
): Promise<Fault | undefined> {
  const step = filledIn(asked, place);
  const userHome = await makeUserHome(place.home, `${place.run}-${at}-${step.client}`);
  const command = await commandOf(step, place, userHome);
  const endAfter = step.reports === undefined ? undefined : { lines: report, count: step.reports };
  // Some tools write files where they stand: that is not to be the repository.
  const end = await runChild({ ...command, cwd: userHome, timeoutMs: stepTimeoutMs, endAfter });
  const reason = step.client === "example" ? faultOfBenchmark(step, end) : verdictOf(end);
  for (const line of end.output.split("\n").filter((each) => measured.test(each))) place.say(line);
  if (reason !== undefined) return { step, reason, output: end.output };
  if (program.complains !== undefined) return undefined;
  const complaints = await complaintsIn(end.output, userHome);
  if (complaints.length === 0) return undefined;
  return { step, reason: "its client complained", output: complaints.join("\n") };
}

function verdictOf({ status, output }: ChildEnd): string | undefined {
  return status === 0 && /^OK \w+$/m.test(output) ? undefined : `status ${status}`;
}

async function commandOf(step: Step, { root, broker, run }: Place, userHome: string) {
  const where = ["--namesrv", broker.nameServer, "--run", run];
  const http = broker.http === undefined ? [] : ["--http", broker.http];
  if (step.client === "client-go") {
    const { command, words } = goCommand(root, step.main);
    return { command, words: [...words, ...where, ...http, ...step.words] };
  }
  if (step.client === "ali-ons") {
    const topics = aliOnsTopics.map((topic) => `${topic}_${run}`);
    for (const topic of topics) await createTopic(broker, topic, 4);
    const script = join(root, "tests", "interop", step.main);
    return {
      command: "node",
      words: [script, ...where, "--topics", topics.join(","), ...step.words],
    };
  }
  const words = javaWords(root, step.client, step.main, step.properties, userHome);
  if (step.client === "example") {
    return { command: "java", words: [...words, "-n", broker.nameServer, ...step.words] };
  }
  return { command: "java", words: [...words, ...where, ...http, ...step.words] };
}

/** A step with its marks replaced: the HTTP front, the benchmarks' topic, the folder of filters. */
function filledIn(step: Step, place: Place): Step {
  const http = (place.broker.http ?? "").replace(/^http:\/\//, "");
  const filters = join(place.root, "tests", "interop", "java", "filters");
  const fill = (text: string) =>
    text.replace("{http}", http).replace("{topic}", benchmarkTopic(place)).replace(
      "{filters}",
      filters,
    );
  return { ...step, words: step.words.map(fill), properties: step.properties.map(fill) };
}

function benchmarkTopic({ run }: Place): string {
  return `benchmark_${run}`;
}
