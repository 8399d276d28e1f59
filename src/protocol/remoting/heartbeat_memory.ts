/**
 * The last full heartbeat of each client on a connection.
 *
 * Newer clients send their subscriptions once, and then only a fingerprint of them. The coordinator
 * wants to hear everything every time, so the connection remembers.
 *
 * @module
 */
import { Lru } from "../../base/lru.ts";
import { limits } from "../../base/limits.ts";
import type { HeartbeatAsk } from "../../broker/broker.ts";

/** Heartbeats by client id; the client silent for longest goes first. */
export class HeartbeatMemory {
  readonly #heartbeats = new Lru<string, { fingerprint: number; ask: HeartbeatAsk }>({
    countMax: limits.clientsPerConnectionMax,
  });

  /** Keeps a full heartbeat. A fingerprint of 0 is none, and nothing is kept for it. */
  remember(fingerprint: number, ask: HeartbeatAsk): void {
    if (fingerprint === 0) this.#heartbeats.delete(ask.clientId);
    else this.#heartbeats.set(ask.clientId, { fingerprint, ask });
  }

  /** The full heartbeat a fingerprint stands for; `undefined`: the client must send it again. */
  recall(clientId: string, fingerprint: number): HeartbeatAsk | undefined {
    const kept = this.#heartbeats.get(clientId);
    return kept?.fingerprint === fingerprint ? kept.ask : undefined;
  }
}
