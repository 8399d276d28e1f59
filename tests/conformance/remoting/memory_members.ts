/** Members as the tests' broker knows them: from the heartbeats it was given. @module */
import type { Clock } from "../../../src/base/clock.ts";
import type { ConsumerMember, HeartbeatAsk } from "../../../src/broker/broker.ts";
import type { MembersDoor } from "../../../src/broker/members.ts";
import type { RepeatedBeat } from "../../../src/link/coordinator_messages.ts";

/** Keeps the heartbeats and answers from them. Fields are open: tests look, and bend. */
export class MemoryMembers implements MembersDoor {
  readonly heartbeats: HeartbeatAsk[] = [];
  readonly repeated: RepeatedBeat[] = [];
  /** What is answered to a heartbeat that says again what the last one said. */
  knowsRepeated = false;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  consumerIds(group: string): Promise<readonly string[]> {
    return Promise.resolve(this.consumers(group).map(({ clientId }) => clientId));
  }

  repeatBeat(beat: RepeatedBeat): Promise<boolean> {
    this.repeated.push(beat);
    return Promise.resolve(this.knowsRepeated);
  }

  consumers(group: string): ConsumerMember[] {
    const members = new Map<string, ConsumerMember>();
    for (const ask of this.heartbeats) {
      for (const membership of ask.consumers) {
        if (membership.group !== group) continue;
        members.set(ask.clientId, { ...ask, membership, heardMs: this.#clock.wallMs() });
      }
    }
    return [...members.values()];
  }

  producers(group: string | null) {
    return this.heartbeats.flatMap((ask) =>
      ask.producerGroups.filter((name) => group === null || name === group)
        .map((name) => ({ ...ask, group: name, heardMs: this.#clock.wallMs() }))
    );
  }
}
