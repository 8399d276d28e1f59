/** Owns which client holds which queue for ordered consumption. @module */
import type { Clock } from "../../src/base/clock.ts";
import { QueueLocks } from "../../src/core/queue_locks.ts";
import type { LockAsk } from "../../src/link/coordinator_messages.ts";
import { checkClientId, checkGroupName } from "../../src/model/names.ts";

/** Queue locks, with the clock that ends them. */
export class OwnsLocks {
  readonly #clock: Clock;
  readonly #locks = new QueueLocks();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The queues that are now the client's. @throws {BrokerError} `invalid_argument`. */
  lock({ group, clientId, queues }: LockAsk): LockAsk["queues"] {
    checkGroupName(group);
    checkClientId(clientId);
    return this.#locks.lock(group, clientId, queues, this.#clock.monotonicMs());
  }

  unlock({ group, clientId, queues }: LockAsk): void {
    this.#locks.unlock(group, clientId, queues);
  }

  forgetGroup(group: string): void {
    this.#locks.forgetGroup(group);
  }

  forgetTopic(topic: string): void {
    this.#locks.forgetTopic(topic);
  }
}
