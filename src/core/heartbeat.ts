/** What a heartbeat says, and what of it is accepted. @module */
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { checkClientId, checkGroupName, checkTopicName } from "../model/names.ts";
import type { Subscription } from "../model/subscription.ts";

/** What a consumer is to its group, as far as membership decides by it. */
export type Consuming = {
  readonly group: string;
  readonly subscriptions: readonly Subscription[];
};

/** A client shows that it lives. */
export type Beat<C extends Consuming> = {
  readonly clientId: string;
  readonly connection: number;
  readonly address: string;
  readonly language: string;
  readonly version: number;
  readonly producerGroups: readonly string[];
  readonly consumers: readonly C[];
};

/** Clients make up producer groups for tracing that are longer than what they allow their users. */
const producerGroupLengthMax = 255;

/**
 * Checks names and counts.
 *
 * @throws {BrokerError} `invalid_argument`: a name is not valid, or named twice; `limit_exceeded`.
 */
export function checkBeat({ clientId, producerGroups, consumers }: Beat<Consuming>): void {
  checkClientId(clientId);
  const groups = producerGroups.length + consumers.length;
  if (groups > limits.groupsPerHeartbeatMax) {
    throw tooMany(clientId, `it names ${groups} groups`, limits.groupsPerHeartbeatMax);
  }
  for (const group of producerGroups) checkProducerGroup(group);
  const named = new Set<string>();
  for (const { group, subscriptions } of consumers) {
    checkGroupName(group);
    if (named.has(group)) throw twice(clientId, `group "${group}"`);
    named.add(group);
    if (subscriptions.length > limits.subscriptionsPerMemberMax) {
      const found = `it has ${subscriptions.length} subscriptions in group "${group}"`;
      throw tooMany(clientId, found, limits.subscriptionsPerMemberMax);
    }
    const topics = new Set(subscriptions.map(({ topic }) => topic));
    if (topics.size < subscriptions.length) throw twice(clientId, `a topic in group "${group}"`);
    for (const topic of topics) checkTopicName(topic);
  }
}

/** A heartbeat that would break a bound. */
export function tooMany(clientId: string, found: string, max: number): BrokerError {
  return new BrokerError(
    "limit_exceeded",
    `Cannot take the heartbeat of client "${clientId}": ${found}, at most ${max} are allowed`,
  );
}

function twice(clientId: string, what: string): BrokerError {
  return new BrokerError(
    "invalid_argument",
    `Cannot take the heartbeat of client "${clientId}": it names ${what} twice`,
  );
}

function checkProducerGroup(group: string): void {
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (group !== "" && group.length <= producerGroupLengthMax && !/[\u0000-\u001f]/.test(group)) {
    return;
  }
  throw new BrokerError(
    "invalid_argument",
    `Cannot use producer group ${JSON.stringify(group.slice(0, 64))}: it needs 1 to ` +
      `${producerGroupLengthMax} characters and no control characters`,
  );
}
