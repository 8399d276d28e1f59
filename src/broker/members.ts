/**
 * Who is in which group, for questions that every client of a crowd asks again and again.
 *
 * A group's members change seldom and are asked for by each of them every 20 s. Their ids are kept
 * until the coordinator tells that the group changed, which it does before any later answer.
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import { Lru } from "../base/lru.ts";
import type { LinkClient } from "../link/client.ts";
import type { CoordinatorOperations, RepeatedBeat } from "../link/coordinator_messages.ts";

/** The members of all groups, as clients see them. */
export class Members implements MembersDoor {
  readonly #coordinator: LinkClient<CoordinatorOperations>;
  readonly #ids = new Lru<string, readonly string[]>({
    countMax: limits.groupsMax,
    bytesMax: limits.memberIdsKeptMax,
    bytesOf: (ids) => ids.length,
  });
  /** What a crowd asks together is asked once. Bounded by the questions pending. */
  readonly #asked = new Map<string, Promise<readonly string[]>>();

  constructor(coordinator: LinkClient<CoordinatorOperations>) {
    this.#coordinator = coordinator;
  }

  async consumerIds(group: string): Promise<readonly string[]> {
    const known = this.#ids.get(group);
    if (known !== undefined) return known;
    const asked = this.#asked.get(group) ?? this.#ask(group);
    const ids = await asked;
    if (this.#asked.get(group) !== asked) return ids;
    this.#asked.delete(group);
    // Anybody may ask for a group that is not there: it must not take the place of one that is.
    if (ids.length > 0) this.#ids.set(group, ids);
    return ids;
  }

  repeatBeat(beat: RepeatedBeat): Promise<boolean> {
    return this.#coordinator.ask("repeatBeat", beat);
  }

  /** News: what is known of the group, or is just being asked, counts no more. */
  changed(group: string): void {
    this.#ids.delete(group);
    this.#asked.delete(group);
  }

  #ask(group: string): Promise<readonly string[]> {
    const asked = this.#coordinator.ask("consumerIds", { group });
    this.#asked.set(group, asked);
    asked.catch(() => {
      if (this.#asked.get(group) === asked) this.#asked.delete(group);
    });
    return asked;
  }
}

/** What a protocol may ask about members beside single questions. */
export interface MembersDoor {
  /** The ids of a group's consumers, each once. The same list until the group changes. */
  consumerIds(group: string): Promise<readonly string[]>;
  /**
   * A client's heartbeat says word for word what its last one said. False: that is not known any
   * more, and the whole heartbeat is wanted.
   */
  repeatBeat(beat: RepeatedBeat): Promise<boolean>;
}
