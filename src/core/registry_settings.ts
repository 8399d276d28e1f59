/**
 * What settings of topics and groups are valid. Every fault is told at once, so that nobody has to
 * find them one by one. Values come from the wire, so their kinds are checked as well.
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import { isDurability } from "../model/durability.ts";
import { BrokerError } from "../model/errors.ts";
import type { GroupSettings } from "../model/group.ts";
import type { TopicSettings } from "../model/topic.ts";

/** Answers what is wrong with a value, or `null`. */
type Check = (value: unknown) => string | null;

/** RocketMQ's permission bits: 4 read, 2 write, 1 inherit. */
const permMax = 7;

const topicChecks: Readonly<Record<keyof TopicSettings, Check>> = {
  queues: (value) => wholeNumber(value, 1, limits.queuesPerTopicMax),
  durability: (value) =>
    typeof value === "string" && isDurability(value)
      ? null
      : 'must be "process-crash" or "power-loss"',
  retentionMs: (value) => wholeNumber(value, limits.retentionMsMin, limits.retentionMsMax),
  retentionBytes: (value) =>
    value === null ? null : wholeNumber(value, 1, limits.retentionBytesMax),
  deleteUnread: trueOrFalse,
  ordered: trueOrFalse,
  messageTtlMs: (value) => value === null ? null : wholeNumber(value, 1, limits.retentionMsMax),
  dedupe: (value) =>
    value === "explicit" || value === "all" || value === "off"
      ? null
      : 'must be "explicit", "all" or "off"',
  perm: (value) => wholeNumber(value, 0, permMax),
  attributes: checkAttributes,
};

const groupChecks: Readonly<Record<keyof GroupSettings, Check>> = {
  startFrom: (value) =>
    value === "earliest" || value === "latest" ? null : 'must be "earliest" or "latest"',
  attemptsMax: (value) => wholeNumber(value, 1, limits.attemptsMax),
  retryDelaysMs: checkRetryDelays,
  retryBackoff: checkBackoff,
  ordered: trueOrFalse,
  consumeEnabled: trueOrFalse,
};

/**
 * Checks the settings given for a topic, complete or not.
 *
 * @throws {BrokerError} `invalid_argument`, naming every fault.
 */
export function checkTopicSettings(name: string, settings: Partial<TopicSettings>): void {
  checkSettings(`topic "${name}"`, topicChecks, settings);
}

/** The same for a group. @throws {BrokerError} `invalid_argument`, naming every fault. */
export function checkGroupSettings(name: string, settings: Partial<GroupSettings>): void {
  checkSettings(`group "${name}"`, groupChecks, settings);
}

/** The names of the given settings whose values differ from those in force. */
export function differing<S extends TopicSettings | GroupSettings>(
  inForce: S,
  given: Partial<S>,
): string[] {
  return Object.entries(given)
    .filter(([name, value]) =>
      value !== undefined && canonical(Reflect.get(inForce, name)) !== canonical(value)
    )
    .map(([name]) => name);
}

/** `inForce` with what is given in its place; `undefined` is not given. */
export function withSettings<S extends TopicSettings | GroupSettings>(
  inForce: S,
  given: Partial<S>,
): S {
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...inForce, ...Object.fromEntries(present) };
}

function checkSettings(
  what: string,
  checks: Readonly<Record<string, Check>>,
  settings: Readonly<Record<string, unknown>>,
): void {
  const faults: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    const fault = check === undefined ? "is no setting" : check(value);
    if (fault !== null) faults.push(`${name} ${fault}, found ${shown(value)}`);
  }
  if (faults.length > 0) {
    throw new BrokerError("invalid_argument", `Cannot set up ${what}: ${faults.join("; ")}`);
  }
}

function wholeNumber(value: unknown, min: number, max: number): string | null {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) {
    return null;
  }
  return `must be a whole number from ${min} to ${max}`;
}

function trueOrFalse(value: unknown): string | null {
  return typeof value === "boolean" ? null : "must be true or false";
}

function checkAttributes(value: unknown): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return "must be names with values";
  }
  const entries = Object.entries(value);
  const lengthMax = limits.attributeLengthMax;
  const fits = entries.length <= limits.attributesPerTopicMax &&
    entries.every(([name, word]) =>
      name.length > 0 && name.length <= lengthMax && typeof word === "string" &&
      word.length <= lengthMax
    );
  if (fits) return null;
  return `must be at most ${limits.attributesPerTopicMax} names with text, ` +
    `each up to ${lengthMax} characters`;
}

function checkRetryDelays(value: unknown): string | null {
  const fits = Array.isArray(value) && value.length >= 1 &&
    value.length <= limits.retryDelaysMax &&
    value.every((delayMs) => wholeNumber(delayMs, 0, limits.delayMsMax) === null);
  if (fits) return null;
  return `must be 1 to ${limits.retryDelaysMax} delays from 0 to ${limits.delayMsMax} ms`;
}

function checkBackoff(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value !== "object") return "must be firstMs, maxMs, factor and jitter, or null";
  const { firstMs, maxMs, factor, jitter } = value as Readonly<Record<string, unknown>>;
  const fits = wholeNumber(firstMs, 1, limits.delayMsMax) === null &&
    wholeNumber(maxMs, Number(firstMs), limits.delayMsMax) === null &&
    typeof factor === "number" && factor >= 1 && factor <= 100 &&
    typeof jitter === "number" && jitter >= 0 && jitter <= 1;
  if (fits) return null;
  return `must have firstMs from 1 to maxMs, maxMs up to ${limits.delayMsMax}, ` +
    "factor 1 to 100, jitter 0 to 1";
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** JSON with names in order, so that equal attributes compare equal. */
function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_name, inner) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
        : inner,
  );
}
