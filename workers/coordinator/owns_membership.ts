/** Owns who is in which group, and sees to it that members hear of each other. @module */
import type { Clock } from "../../src/base/clock.ts";
import type { Log } from "../../src/base/log.ts";
import { type Displacement, Membership } from "../../src/core/membership.ts";
import type {
  ConsumerMember,
  ConsumerMembership,
  CoordinatorNews,
  HeartbeatAnswer,
  HeartbeatAsk,
  Member,
  RepeatedBeat,
  UnregisterAsk,
} from "../../src/link/coordinator_messages.ts";
import type { Timers } from "../../src/ports/timers.ts";
import type { OwnsFilters } from "./owns_filters.ts";
import { WakeUp } from "./wake_up.ts";

/** What the owner is made of. */
export type OwnsMembershipParts = {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly filters: OwnsFilters;
  readonly tell: (news: CoordinatorNews) => void;
  /** Posts what was told outside of a turn. */
  readonly post: () => void;
};

/** Members, with the clock that makes silent ones leave. */
export class OwnsMembership {
  readonly #parts: OwnsMembershipParts;
  readonly #members = new Membership<ConsumerMembership>();
  readonly #wakeUp: WakeUp;
  /** Group → topics its members disagree about, as last logged. Bounded by the groups alive. */
  readonly #disagreements = new Map<string, string>();

  constructor(parts: OwnsMembershipParts) {
    this.#parts = parts;
    const { clock, timers } = parts;
    this.#wakeUp = new WakeUp(timers, () => clock.monotonicMs(), (nowMs) => {
      this.#changed(this.#members.expire(nowMs));
      parts.post();
      return this.#members.nextExpiryMs();
    });
  }

  /**
   * @throws {BrokerError} `filter_invalid`: the client is a member all the same, and its other
   * subscriptions count.
   */
  heartbeat(ask: HeartbeatAsk): HeartbeatAnswer {
    const { clock, filters } = this.#parts;
    const outcome = this.#members.heartbeat(ask, clock.wallMs(), clock.monotonicMs());
    this.#wakeUp.by(this.#members.nextExpiryMs());
    for (const displacement of outcome.displaced) this.#logDisplacement(displacement);
    this.#changed(outcome.changedGroups);
    this.#hearWishes(ask.consumers, outcome.changedGroups);
    const fault = filters.faultsOf(ask.consumers);
    if (fault !== null) throw fault;
    return { subscriptionsChanged: outcome.subscriptionsChanged };
  }

  /** False: the whole heartbeat is wanted. */
  repeatBeat({ clientId, connection, groupCount }: RepeatedBeat): boolean {
    const { clock } = this.#parts;
    const heard = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    const consumers = this.#members.repeat({ clientId, connection, groupCount }, heard);
    if (consumers === null) return false;
    this.#hearWishes(consumers, []);
    return true;
  }

  unregister(ask: UnregisterAsk): void {
    const { clientId, connection, producerGroup, consumerGroup } = ask;
    this.#changed(this.#members.unregister(clientId, connection, producerGroup, consumerGroup));
  }

  disconnect(connection: number): void {
    this.#changed(this.#members.disconnect(connection));
  }

  /** The group is deleted. Its members hear of it, so that they ask again and learn why. */
  forgetGroup(group: string): void {
    const connections = this.#members.connectionsOf(group);
    if (this.#members.forgetGroup(group)) this.#groupChanged(group, connections);
  }

  consumers(group: string): readonly ConsumerMember[] {
    return this.#members.consumers(group);
  }

  consumerIds(group: string): readonly string[] {
    return this.#members.consumerIds(group);
  }

  producers(group: string | null): readonly (Member & { readonly group: string })[] {
    return this.#members.producers(group);
  }

  stop(): void {
    this.#wakeUp.stop();
  }

  /** A newer version of the same wish moves no member, but pulls may name it already. */
  #hearWishes(consumers: readonly ConsumerMembership[], changedGroups: readonly string[]): void {
    const { filters } = this.#parts;
    for (const { group, subscriptions } of consumers) {
      if (changedGroups.includes(group) || !filters.isNews(group, subscriptions)) continue;
      filters.refresh(group, this.#members.newestSubscriptions(group));
    }
  }

  #changed(groups: readonly string[]): void {
    for (const group of groups) this.#groupChanged(group, this.#members.connectionsOf(group));
  }

  /** Told also when nobody is left: the front keeps who was there until it hears of a change. */
  #groupChanged(group: string, connections: readonly number[]): void {
    const { filters, tell } = this.#parts;
    filters.refresh(group, this.#members.newestSubscriptions(group));
    tell({ kind: "members", group, connections });
    this.#logDisagreements(group);
  }

  #logDisplacement({ clientId, group, from, to, duplicate }: Displacement): void {
    const fields = { clientId, group, fromConnection: from, toConnection: to };
    if (duplicate) this.#parts.log.warn("client_id_used_twice", fields);
    else this.#parts.log.debug("client_moved", fields);
  }

  /** Members that want different things of a topic miss messages: said once for each change. */
  #logDisagreements(group: string): void {
    const topics = this.#members.disagreements(group).sort().join(", ");
    if (topics === (this.#disagreements.get(group) ?? "")) return;
    if (topics === "") {
      this.#disagreements.delete(group);
      return;
    }
    this.#disagreements.set(group, topics);
    this.#parts.log.warn("group_subscriptions_differ", { group, topics });
  }
}
