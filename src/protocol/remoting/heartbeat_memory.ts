/**
 * What the clients of a connection said with their last heartbeats.
 *
 * Newer clients send their subscriptions once, and then only a fingerprint of them: the whole is
 * kept for them. Nearly every heartbeat says what the one before said: by its digest it is known
 * without being read.
 *
 * @module
 */
import { Lru } from "../../base/lru.ts";
import { limits } from "../../base/limits.ts";
import type { HeartbeatAsk } from "../../broker/broker.ts";

/** A heartbeat the broker has taken in, by the digest of its bytes. */
export type LastBeat = {
  readonly digest: number;
  readonly clientId: string;
  /** The groups it names, once for each role. */
  readonly groupCount: number;
  readonly produces: boolean;
};

type Kept = { readonly fingerprint: number; readonly ask: HeartbeatAsk };

/** Heartbeats by client id; the client silent for longest goes first. */
export class HeartbeatMemory {
  /** Made for the first client with a fingerprint: most connections have none. */
  #heartbeats: Lru<string, Kept> | null = null;
  /** Nearly every connection is one client's. */
  #last: LastBeat | null = null;

  /** The heartbeat taken in last, if these are its bytes again. */
  again(digest: number): LastBeat | null {
    return this.#last?.digest === digest ? this.#last : null;
  }

  /** The broker took a heartbeat in, all of it. `digest` is that of the bytes it came as. */
  taken(digest: number, { clientId, producerGroups, consumers }: HeartbeatAsk): void {
    const groupCount = new Set(producerGroups).size + consumers.length;
    this.#last = { digest, clientId, groupCount, produces: producerGroups.length > 0 };
  }

  /** Whatever comes next is to be read. */
  forgetLast(): void {
    this.#last = null;
  }

  /** Keeps a full heartbeat. A fingerprint of 0 is none, and nothing is kept for it. */
  remember(fingerprint: number, ask: HeartbeatAsk): void {
    if (fingerprint === 0) this.#heartbeats?.delete(ask.clientId);
    else {
      this.#heartbeats ??= new Lru({ countMax: limits.clientsPerConnectionMax });
      this.#heartbeats.set(ask.clientId, { fingerprint, ask });
    }
  }

  /** The full heartbeat a fingerprint stands for; `undefined`: the client must send it again. */
  recall(clientId: string, fingerprint: number): HeartbeatAsk | undefined {
    const kept = this.#heartbeats?.get(clientId);
    return kept?.fingerprint === fingerprint ? kept.ask : undefined;
  }
}
