/**
 * Who is in which group: producers and consumers, as their heartbeats say.
 *
 *     away ──heartbeat──▶ member ──heartbeat──▶ member
 *      ▲                     │
 *      └── unregister, its connection closes, or silence of `limits.memberSilentMsMax`
 *
 * A member is one client id in one group. A heartbeat speaks for the groups it names and says
 * nothing of others. When a second connection shows the same client id, the newest heartbeat wins:
 * the group never sees one member twice.
 *
 * Pure: `nowMs` is monotonic and decides; `heardMs` is wall time and is only shown.
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import type { Subscription } from "../model/subscription.ts";
import { type Beat, checkBeat, type Consuming, tooMany } from "./heartbeat.ts";

/** A member as others see it. */
export type MemberView = {
  readonly clientId: string;
  readonly connection: number;
  readonly address: string;
  readonly language: string;
  readonly version: number;
  readonly heardMs: number;
};

/** A client says again what it said last: `groupCount` groups, counted once for each role. */
export type Repetition = {
  readonly clientId: string;
  readonly connection: number;
  readonly groupCount: number;
};

/** One client id in one group. `consuming` is `null` for a producer. */
type Entry<C> = {
  readonly view: Omit<MemberView, "heardMs"> & { heardMs: number };
  readonly group: string;
  readonly consuming: C | null;
  nowMs: number;
  /** Counts heartbeats, so that two of the same millisecond have an order. */
  beat: number;
};

/**
 * The same client id from another connection. `duplicate`: the older connection came back after
 * the newer one, so two programs share the id; else it may be a client that reconnected.
 */
export type Displacement = {
  readonly clientId: string;
  readonly group: string;
  readonly from: number;
  readonly to: number;
  readonly duplicate: boolean;
};

/** What a heartbeat changed. */
export type BeatOutcome = {
  /** Consumer groups whose members or subscriptions changed: their members must be told. */
  readonly changedGroups: readonly string[];
  /** Whether a subscription of this client changed, or is new. */
  readonly subscriptionsChanged: boolean;
  readonly displaced: readonly Displacement[];
};

type Members<C> = Map<string, Map<string, Entry<C>>>;

/** All members of all groups. `C`: what is kept of a consumer beside what membership needs. */
export class Membership<C extends Consuming> {
  /** Group → client id → member. Bounded by `limits.membersMax` and the bounds of a group. */
  readonly #consumers: Members<C> = new Map();
  readonly #producers: Members<C> = new Map();
  /** Every member, the one silent for longest in front. */
  readonly #byBeat = new Set<Entry<C>>();
  /** Connection → its members. */
  readonly #byConnection = new Map<number, Set<Entry<C>>>();
  #beats = 0;

  /** Members of all groups. */
  get size(): number {
    return this.#byBeat.size;
  }

  /**
   * Takes a heartbeat in, as a whole or not at all.
   *
   * @throws {BrokerError} `invalid_argument`: a name is not valid; `limit_exceeded`.
   */
  heartbeat(beat: Beat<C>, heardMs: number, nowMs: number): BeatOutcome {
    this.#check(beat);
    const { clientId, connection, address, language, version } = beat;
    const view = { clientId, connection, address, language, version, heardMs };
    const number = ++this.#beats;
    const changedGroups: string[] = [];
    const displaced: Displacement[] = [];
    let subscriptionsChanged = false;
    const enter = (members: Members<C>, group: string, consuming: C | null) => {
      const before = this.#put(members, { view, group, consuming, nowMs, beat: number });
      const from = before?.view.connection ?? connection;
      if (from !== connection) {
        displaced.push({ clientId, group, from, to: connection, duplicate: connection < from });
      }
      return before;
    };
    for (const group of new Set(beat.producerGroups)) enter(this.#producers, group, null);
    for (const consuming of beat.consumers) {
      const before = enter(this.#consumers, consuming.group, consuming);
      const changed = !sameSubscriptions(before?.consuming, consuming);
      if (changed) subscriptionsChanged = true;
      // A member that moved to another connection has to be told there what the group looks like.
      const moved = before !== undefined && before.view.connection !== connection;
      if (changed || moved) changedGroups.push(consuming.group);
    }
    return { changedGroups, subscriptionsChanged, displaced };
  }

  /**
   * A client repeats its last heartbeat, which changes nothing but when it was heard. Answers what
   * it consumes; `null`: it is not in so many groups by this connection, and nothing was done.
   */
  repeat(
    { clientId, connection, groupCount }: Repetition,
    heard: { readonly wallMs: number; readonly monotonicMs: number },
  ): C[] | null {
    const entries: Entry<C>[] = [];
    for (const entry of this.#byConnection.get(connection) ?? []) {
      if (entry.view.clientId === clientId) entries.push(entry);
    }
    if (entries.length !== groupCount) return null;
    const number = ++this.#beats;
    const consuming: C[] = [];
    for (const entry of entries) {
      entry.view.heardMs = heard.wallMs;
      entry.nowMs = heard.monotonicMs;
      entry.beat = number;
      this.#byBeat.delete(entry);
      this.#byBeat.add(entry);
      if (entry.consuming !== null) consuming.push(entry.consuming);
    }
    return consuming;
  }

  /**
   * A client leaves one role in one group, or all it has on this connection when both are `null`.
   * Answers the consumer groups that changed. What another connection showed since stays.
   */
  unregister(
    clientId: string,
    connection: number,
    producerGroup: string | null,
    consumerGroup: string | null,
  ): string[] {
    const all = producerGroup === null && consumerGroup === null;
    const leaving = [...this.#byConnection.get(connection) ?? []].filter((entry) => {
      if (entry.view.clientId !== clientId) return false;
      return all || entry.group === (entry.consuming === null ? producerGroup : consumerGroup);
    });
    return this.#removeAll(leaving);
  }

  /** A connection closed. Answers the consumer groups that changed. */
  disconnect(connection: number): string[] {
    return this.#removeAll([...this.#byConnection.get(connection) ?? []]);
  }

  /** Members silent for too long leave. Answers the consumer groups that changed. */
  expire(nowMs: number): string[] {
    const silent: Entry<C>[] = [];
    for (const entry of this.#byBeat) {
      if (nowMs - entry.nowMs < limits.memberSilentMsMax) break;
      silent.push(entry);
    }
    return this.#removeAll(silent);
  }

  /** When `expire` may have something to do; `null` without members. */
  nextExpiryMs(): number | null {
    for (const entry of this.#byBeat) return entry.nowMs + limits.memberSilentMsMax;
    return null;
  }

  /** The group is deleted: its consumers leave. True if it had any. */
  forgetGroup(group: string): boolean {
    return this.#removeAll([...this.#consumers.get(group)?.values() ?? []]).length > 0;
  }

  /** The consumers of a group. */
  consumers(group: string): (MemberView & { readonly membership: C })[] {
    const views: (MemberView & { readonly membership: C })[] = [];
    for (const { view, consuming } of this.#consumers.get(group)?.values() ?? []) {
      if (consuming !== null) views.push({ ...view, membership: consuming });
    }
    return views;
  }

  /** The ids of a group's consumers, each once. */
  consumerIds(group: string): string[] {
    return [...this.#consumers.get(group)?.keys() ?? []];
  }

  /** The producers of a group, or of all groups. */
  producers(group: string | null): (MemberView & { readonly group: string })[] {
    const groups = group === null ? [...this.#producers.keys()] : [group];
    return groups.flatMap((name) =>
      [...this.#producers.get(name)?.values() ?? []].map(({ view }) => ({ ...view, group: name }))
    );
  }

  /** The connections of a group's consumers, each once. */
  connectionsOf(group: string): number[] {
    const members = this.#consumers.get(group)?.values() ?? [];
    return [...new Set([...members].map(({ view }) => view.connection))];
  }

  /**
   * What the group wants, by topic: of each topic the subscription with the highest version, and
   * among equals the one heard last.
   */
  newestSubscriptions(group: string): Map<string, Subscription> {
    const newest = new Map<string, { subscription: Subscription; beat: number }>();
    for (const { consuming, beat } of this.#consumers.get(group)?.values() ?? []) {
      for (const subscription of consuming?.subscriptions ?? []) {
        const best = newest.get(subscription.topic);
        if (best !== undefined && !isNewer(subscription, beat, best)) continue;
        newest.set(subscription.topic, { subscription, beat });
      }
    }
    return new Map([...newest].map(([topic, { subscription }]) => [topic, subscription]));
  }

  /** The topics of which members of the group want different things: some will miss messages. */
  disagreements(group: string): string[] {
    const members = this.#consumers.get(group) ?? new Map<string, Entry<C>>();
    const wishes = new Map<string, Set<string>>();
    const counts = new Map<string, number>();
    for (const { consuming } of members.values()) {
      for (const { topic, expression } of consuming?.subscriptions ?? []) {
        const wish = `${expression.language} ${expression.text}`;
        wishes.set(topic, (wishes.get(topic) ?? new Set()).add(wish));
        counts.set(topic, (counts.get(topic) ?? 0) + 1);
      }
    }
    return [...wishes].filter(([topic, texts]) =>
      texts.size > 1 || counts.get(topic) !== members.size
    ).map(([topic]) => topic);
  }

  #check(beat: Beat<C>): void {
    checkBeat(beat);
    const { groupMembersMax, groupProducersMax } = limits;
    for (const { group } of beat.consumers) {
      this.#checkRoom(this.#consumers, beat, group, groupMembersMax);
    }
    for (const group of beat.producerGroups) {
      this.#checkRoom(this.#producers, beat, group, groupProducersMax);
    }
    const groups = beat.producerGroups.length + beat.consumers.length;
    if (this.size + groups > limits.membersMax) {
      throw tooMany(beat.clientId, `the broker has ${this.size} members`, limits.membersMax);
    }
  }

  #checkRoom(groups: Members<C>, { clientId }: Beat<C>, group: string, max: number): void {
    const members = groups.get(group);
    if (members === undefined || members.has(clientId)) return;
    if (members.size < max) return;
    throw tooMany(clientId, `group "${group}" has ${members.size} members`, max);
  }

  /** Enters a member in place of the one with the same client id, which is answered. */
  #put(members: Members<C>, entry: Entry<C>): Entry<C> | undefined {
    const group = members.get(entry.group) ?? new Map<string, Entry<C>>();
    members.set(entry.group, group);
    const before = group.get(entry.view.clientId);
    if (before !== undefined) this.#forget(before);
    group.set(entry.view.clientId, entry);
    this.#byBeat.add(entry);
    const { connection } = entry.view;
    const beside = this.#byConnection.get(connection) ?? new Set<Entry<C>>();
    this.#byConnection.set(connection, beside.add(entry));
    return before;
  }

  #removeAll(entries: readonly Entry<C>[]): string[] {
    const changed = new Set<string>();
    for (const entry of entries) {
      const members = entry.consuming === null ? this.#producers : this.#consumers;
      const group = members.get(entry.group);
      group?.delete(entry.view.clientId);
      if (group?.size === 0) members.delete(entry.group);
      this.#forget(entry);
      if (entry.consuming !== null) changed.add(entry.group);
    }
    return [...changed];
  }

  #forget(entry: Entry<C>): void {
    this.#byBeat.delete(entry);
    const beside = this.#byConnection.get(entry.view.connection);
    beside?.delete(entry);
    if (beside?.size === 0) this.#byConnection.delete(entry.view.connection);
  }
}

function isNewer(
  subscription: Subscription,
  beat: number,
  best: { readonly subscription: Subscription; readonly beat: number },
): boolean {
  const difference = subscription.version - best.subscription.version;
  return difference > 0 || (difference === 0 && beat > best.beat);
}

function sameSubscriptions(before: Consuming | null | undefined, after: Consuming): boolean {
  if (before === null || before === undefined) return false;
  return wishesOf(before) === wishesOf(after);
}

/**
 * Everything a consumer wants as one text, whatever its order. Versions are left out: some
 * clients count them up with every heartbeat, and would have the group shared out anew each time.
 */
function wishesOf({ subscriptions }: Consuming): string {
  return JSON.stringify(
    subscriptions.map(({ topic, expression: { language, text } }) =>
      [topic, language, text].join("\n")
    ).sort(),
  );
}
