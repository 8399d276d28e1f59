/**
 * RocketMQ's own benchmark programs as a load: unmodified, against whatever speaks their protocol.
 *
 * @module
 */
import { report } from "../../tests/interop/benchmarks.ts";
import { runChild } from "../../tests/interop/children.ts";
import { benchmarkPackage, libraryOf } from "../../tests/interop/java_build.ts";
import { root } from "../../tests/support/broker_process.ts";
import type { RunningPeer } from "./peer.ts";

/** A report tells of the nine seconds before it, so the first comes after ten. */
const reportSeconds = 9;
const startMsMax = 60_000;
const heap = "-Xmx256m";
const rate = /\b(?:Send|Consume) TPS: +(\d+)/;
const failures = /\b(?:Send Failed|Response Failed|Consume Fail): +(\d+)/g;

/** A run of a benchmark program. */
export type JavaLoad = {
  readonly topic: string;
  readonly seconds: number;
  /** Where the program may write its logs. */
  readonly home: string;
};

/** What a program reported last. */
export type JavaReport = { readonly perSecond: number; readonly failed: number };

/** `Producer`: one message at a time from each of `threads` threads. */
export function javaProducer(
  peer: RunningPeer,
  load: JavaLoad & { readonly threads: number; readonly bodyBytes: number },
): Promise<JavaReport> {
  const words = ["-w", `${load.threads}`, "-s", `${load.bodyBytes}`];
  return runBenchmark("Producer", words, peer, load);
}

/** `Consumer`: a member of a group of its own, which reads what comes while it runs. */
export function javaConsumer(peer: RunningPeer, load: JavaLoad): Promise<JavaReport> {
  return runBenchmark("Consumer", ["-g", `${load.topic}-readers`], peer, load);
}

/** Runs a program, which has no end of its own, until it has reported for long enough. */
async function runBenchmark(
  program: string,
  words: readonly string[],
  { nameServer }: RunningPeer,
  { topic, seconds, home }: JavaLoad,
): Promise<JavaReport> {
  if (nameServer === undefined) throw new Error(`Cannot run ${program}: no name server to ask`);
  const java = [heap, `-Duser.home=${home}`, "-cp", libraryOf(root, "example")];
  const where = ["-n", nameServer, "-t", topic, "-ri", "1000"];
  const end = await runChild({
    command: "java",
    words: [...java, `${benchmarkPackage}.${program}`, ...where, ...words],
    cwd: home,
    timeoutMs: startMsMax + seconds * 1000,
    endAfter: { lines: report, count: Math.max(1, seconds - reportSeconds) },
  });
  const last = end.output.split("\n").findLast((line) => report.test(line));
  if (last === undefined) throw new Error(`${program} reported nothing:\n${end.output}`);
  const failed = [...last.matchAll(failures)].reduce((sum, [, count]) => sum + Number(count), 0);
  return { perSecond: Number(rate.exec(last)?.[1]), failed };
}
