/** All remoting sessions of a front, so that news for a client finds its connection. @module */
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import type { Connection } from "../../ports/sockets.ts";
import type { ClientRequest, Clients, RemotingContext, RemotingParts } from "./call.ts";
import type { ClientAnswer } from "./client_asks.ts";
import { FilterMemory } from "./filter_memory.ts";
import { ProducerConnections } from "./producer_connections.ts";
import { replyCarrier } from "./reply_push.ts";
import { PendingResets } from "./pending_resets.ts";
import { ResetNews } from "./reset_news.ts";
import { RemotingSession } from "./session.ts";
import { TransactionChecks } from "./transaction_checks.ts";
import { WaitingPops } from "./waiting_pops.ts";
import { Writers } from "./writers.ts";

/** Looks at a connection within the longest silence that is borne: how exact that is. */
const looksPerSilence = 4;

/** How often `endSilent` is to be called. */
export const silenceLookMs = limits.connectionIdleMsMax / looksPerSilence;

/** Opens sessions, and passes the broker's news on to them. */
export class RemotingSessions implements Clients {
  readonly #context: RemotingContext;
  /** By connection number; the front opens at most `limits.connectionsMax`. */
  readonly #sessions = new Map<number, RemotingSession>();
  readonly #stops: readonly (() => void)[];
  /** Group → connections to tell that its members changed. Bounded by one batch of news. */
  #notices = new Map<string, Set<number>>();

  constructor(parts: RemotingParts) {
    this.#context = {
      ...parts,
      clients: this,
      producers: new ProducerConnections(),
      filters: new FilterMemory(parts.broker),
      resets: new PendingResets(),
      waitingPops: new WaitingPops(),
      writers: new Writers(),
    };
    const { broker } = parts;
    const checks = new TransactionChecks(this.#context);
    const resets = new ResetNews(this.#context);
    this.#stops = [
      broker.onNews({
        membersChanged: (group, connections) => this.#gatherNotice(group, connections),
        placesMoving: (move) => resets.placesMoving(move),
        placesMoved: (move) => resets.placesMoved(move),
        placesStayed: (move) => resets.placesStayed(move),
      }),
      broker.transactions.onChecks((check) => checks.ask(check)),
      broker.carryReplies(replyCarrier(this.#context)),
    ];
  }

  /** How many sessions are open. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Serves a connection from its first byte to its last. `number` must be new. */
  accept(number: number, connection: Connection): void {
    const session = this.open(number, connection);
    connection.listen({
      onData: (chunk) => session.feed(chunk),
      onDrain: () => session.drained(),
      onClose: () => this.close(number),
    });
  }

  /** Begins a session for a caller who listens to the connection. It must call `close` once. */
  open(number: number, connection: Connection): RemotingSession {
    const session = new RemotingSession(number, connection, this.#context);
    this.#sessions.set(number, session);
    return session;
  }

  tell(connection: number, request: ClientRequest): boolean {
    return this.#sessions.get(connection)?.tell(request) ?? false;
  }

  ask(connection: number, request: ClientRequest, waitMs: number): Promise<ClientAnswer> {
    const session = this.#sessions.get(connection);
    if (session !== undefined) return session.ask(request, waitMs);
    return Promise.reject(new BrokerError("timeout", "Cannot ask the client: it has left"));
  }

  /** Forgets a connection whose socket is gone. */
  close(number: number): void {
    this.#sessions.get(number)?.closed();
    this.#sessions.delete(number);
    this.#context.producers.drop(number);
  }

  /**
   * Ends the connections that said nothing for `limits.connectionIdleMsMax`, one look more at most:
   * their clients are gone without a word, or do not read any more.
   */
  endSilent(): void {
    for (const session of this.#sessions.values()) session.look(looksPerSilence);
  }

  /**
   * When a crowd arrives, each who comes is news for all before. A client is told once for all the
   * news that came together, since it asks for the members anew however often it is told.
   */
  #gatherNotice(group: string, connections: readonly number[]): void {
    if (this.#notices.size === 0) queueMicrotask(() => this.#giveNotice());
    const told = this.#notices.get(group);
    if (told === undefined) this.#notices.set(group, new Set(connections));
    else for (const each of connections) told.add(each);
  }

  #giveNotice(): void {
    const notices = this.#notices;
    this.#notices = new Map();
    for (const [group, connections] of notices) {
      for (const each of connections) this.#sessions.get(each)?.notifyMembersChanged(group);
    }
  }

  /** No more news, questions and replies. */
  stop(): void {
    for (const stop of this.#stops) stop();
  }
}
