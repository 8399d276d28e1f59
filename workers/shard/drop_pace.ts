/**
 * How fast rows of deleted topics go: how many in a step, and how long the steps rest.
 *
 *     step ──▶ next commit, whose fsync takes its pages along ──▶ checkpoint, which moves them
 *      └────────── each is charged: for nine times as long, no step follows ──────────┘
 *
 * Pure: the time is an argument. Whether anybody asks for anything, and so whether a rest is kept,
 * is the caller's business.
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";

/** What is charged is followed by so many times as long without a step. */
const restFactor = 9;
/** A step shall take so long, and lengthen the next commit by no more: somebody waits for both. */
const stepMs = 2;
/** A disk that hangs for a moment shall not put a drop off for long. */
const restMsMax = 3_000;
/** Of how many commits the usual one is the mean, roughly. */
const commitsOfMean = 16;

/** The pace of one shard's drops. Times are on the monotonic clock. */
export class DropPace {
  #rowsMax: number = limits.rowsPerDropStepMin;
  #restUntilMs = -Infinity;
  /** A commit that no step came before takes so long; 0: none was seen. */
  #commitMs = 0;
  /** A step's pages wait for the next fsync. */
  #isUnsynced = false;

  /** How many rows the next step may delete. */
  get rowsMax(): number {
    return this.#rowsMax;
  }

  /** How long until the next step, if requests come meanwhile. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#restUntilMs - nowMs);
  }

  /** A step of so many rows ended now. */
  stepped(nowMs: number, tookMs: number, rows: number): void {
    this.charge(nowMs, tookMs);
    if (rows === 0) return;
    this.#isUnsynced = true;
    // Fewer rows than it might have had say nothing about a larger step.
    if (tookMs > stepMs || rows >= this.#rowsMax) this.#size(tookMs);
  }

  /** A turn was committed. What it took beyond the usual after a step is the step's. */
  committed(nowMs: number, tookMs: number): void {
    if (!this.#isUnsynced) {
      const isFirst = this.#commitMs === 0;
      this.#commitMs += (tookMs - this.#commitMs) / (isFirst ? 1 : commitsOfMean);
      return;
    }
    this.#isUnsynced = false;
    const beyondMs = tookMs - this.#commitMs;
    if (this.#commitMs === 0 || beyondMs <= 0) return;
    this.charge(nowMs, beyondMs);
    if (beyondMs > stepMs) this.#size(beyondMs);
  }

  /** Something that steps have caused took so long. */
  charge(nowMs: number, tookMs: number): void {
    // Each turn charges what its upkeep took, nearly always nothing: no rest begins with that.
    if (tookMs <= 0) return;
    const fromMs = Math.max(this.#restUntilMs, nowMs);
    this.#restUntilMs = Math.min(fromMs + restFactor * tookMs, nowMs + restMsMax);
  }

  /** At most twice or half as many rows as before: one measurement may be chance. */
  #size(tookMs: number): void {
    const times = Math.min(2, Math.max(0.5, stepMs / Math.max(tookMs, 0.001)));
    const { rowsPerDropStepMin: min, rowsPerDropStepMax: max } = limits;
    this.#rowsMax = Math.min(max, Math.max(min, Math.round(this.#rowsMax * times)));
  }
}
