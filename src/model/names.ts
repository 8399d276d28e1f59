/** What may be called what: topics, groups, clients, and the names derived from them. @module */
import { limits } from "../base/limits.ts";
import { BrokerError } from "./errors.ts";

const allowed = /^[%|a-zA-Z0-9_-]+$/;

/** Prefix of the topic that holds a group's messages to be tried again. */
export const retryPrefix = "%RETRY%";
/** Prefix of the topic that holds what a group gave up on. */
export const deadLetterPrefix = "%DLQ%";

/** The region every message is of, and every answer to a send: there is one. */
export const regionName = "DefaultRegion";

/** The topic from which `group` reads what it sent back. */
export function retryTopicOf(group: string): string {
  return retryPrefix + group;
}

/** The topic that keeps what `group` gave up on. */
export function deadLetterTopicOf(group: string): string {
  return deadLetterPrefix + group;
}

/**
 * Whether a topic belongs to a group or to the broker, and is neither created nor deleted by users.
 */
export function isDerivedTopic(name: string): boolean {
  return name.startsWith(retryPrefix) || name.startsWith(deadLetterPrefix);
}

/**
 * Checks a topic's name.
 *
 * @throws {BrokerError} `invalid_argument`: empty, longer than 127, or with characters beyond
 * letters, digits, `%`, `|`, `_` and `-`.
 */
export function checkTopicName(name: string): void {
  checkName("topic", name, limits.topicLengthMax);
}

/** Checks a group's name. Bounds as for topics, at most 120 characters. @throws {BrokerError} */
export function checkGroupName(name: string): void {
  checkName("group", name, limits.groupLengthMax);
}

/**
 * Checks a client id: 1 to 255 printable characters. It is data, never part of an expression.
 *
 * @throws {BrokerError} `invalid_argument`.
 */
export function checkClientId(id: string): void {
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (id.length === 0 || id.length > limits.clientIdLengthMax || /[\u0000-\u001f\u007f]/.test(id)) {
    throw new BrokerError(
      "invalid_argument",
      `Cannot use client id ${JSON.stringify(id.slice(0, 64))}: ` +
        `it needs 1 to ${limits.clientIdLengthMax} characters and no control characters`,
    );
  }
}

function checkName(kind: string, name: string, lengthMax: number): void {
  if (name.length > 0 && name.length <= lengthMax && allowed.test(name)) return;
  const shown = JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
  throw new BrokerError(
    "invalid_argument",
    `Cannot use ${kind} name ${shown}: it needs 1 to ${lengthMax} characters out of ` +
      "letters, digits, %, |, _ and -",
  );
}
