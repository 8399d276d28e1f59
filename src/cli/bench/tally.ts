/** What a load counts while it runs, and the figures it ends with. @module */
import type { MachineFacts } from "../../ports/host.ts";
import { pairs } from "../output.ts";
import { showBytes, showCount } from "../units.ts";
import { Histogram } from "./histogram.ts";

/** Kinds of errors kept apart; further ones are counted together. */
const errorKindsMax = 16;

/** Counts of one load. `errors` counts answers by what they said. */
export class LoadTally {
  readonly latencies = new Histogram();
  readonly #errors = new Map<string, number>();
  #counting = true;
  #done = 0;

  /** Things done since the start, or since `restart`. */
  get done(): number {
    return this.#done;
  }

  /** Adds `count` things done by one request. */
  success(count: number, latencyMs: number): void {
    if (!this.#counting) return;
    this.#done += count;
    this.latencies.record(latencyMs);
  }

  /** Adds a failed request. */
  failure(reason: string): void {
    const kind = this.#errors.has(reason) || this.#errors.size < errorKindsMax ? reason : "others";
    this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + 1);
  }

  /** Failed requests by reason. */
  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors);
  }

  /** Begins anew: the warm-up is over. Errors of the warm-up are errors all the same. */
  restart(): void {
    this.#done = 0;
    this.latencies.clear();
  }

  /** The time is over: what is answered from now on is checked, but not counted. */
  freeze(): void {
    this.#counting = false;
  }
}

/** The figures of one load. */
export type LoadReport = {
  readonly name: string;
  /** What one of `done` is. */
  readonly unit: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly done: number;
  readonly tookMs: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  readonly errors: Readonly<Record<string, number>>;
};

/** The figures a tally came to in `tookMs`. */
export function reportOf(
  tally: LoadTally,
  tookMs: number,
  about: Pick<LoadReport, "name" | "unit" | "settings">,
): LoadReport {
  const { done, latencies, errors } = tally;
  return {
    ...about,
    done,
    tookMs: Math.round(tookMs),
    perSecond: tookMs > 0 ? Math.round(done * 1000 / tookMs) : 0,
    p50Ms: round(latencies.quantileMs(0.5)),
    p99Ms: round(latencies.quantileMs(0.99)),
    p999Ms: round(latencies.quantileMs(0.999)),
    maxMs: round(latencies.maxMs),
    errors,
  };
}

/** A report for people. */
export function reportText(report: LoadReport): string {
  const settings = Object.entries(report.settings).map(([name, value]) => `${name} ${value}`);
  const errors = Object.entries(report.errors);
  const failed = errors.map(([reason, count]) => `${showCount(count)} x ${reason}`).join("; ");
  return `${report.name}: ${settings.join(", ")}\n` + pairs([
    ["  rate", `${showCount(report.perSecond)} ${report.unit}/s`],
    ["  done", `${showCount(report.done)} in ${(report.tookMs / 1000).toFixed(2)} s`],
    ["  p50", `${report.p50Ms} ms`],
    ["  p99", `${report.p99Ms} ms`],
    ["  p99.9", `${report.p999Ms} ms`],
    ["  max", `${report.maxMs} ms`],
    ["  errors", failed === "" ? "none" : failed],
  ]);
}

/** Where the figures come from. */
export function machineText(machine: MachineFacts, version: string): string {
  const { cores, cpuModel, memoryBytes, platform, runtime } = machine;
  const hardware = `${cores} cores of ${cpuModel}, ${showBytes(memoryBytes)}`;
  return `curlew ${version} load tool on ${runtime}, ${platform}, ${hardware}\n`;
}

function round(ms: number): number {
  return Number(ms.toFixed(3));
}
