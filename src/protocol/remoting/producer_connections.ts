/** Which connection a producing client has, by its id: where replies to its requests go. @module */
import { limits } from "../../base/limits.ts";

/** Learned from heartbeats. The last connection a client spoke on is its connection. */
export class ProducerConnections {
  readonly #byClient = new Map<string, number>();
  readonly #byConnection = new Map<number, Set<string>>();

  /** A client showed on a connection that it produces. */
  put(clientId: string, connection: number): void {
    const before = this.#byClient.get(clientId);
    if (before === connection) return;
    if (before !== undefined) this.#forget(clientId, before);
    const clients = this.#byConnection.get(connection) ?? new Set();
    const [oldest] = clients;
    if (clients.size >= limits.clientsPerConnectionMax && oldest !== undefined) {
      this.#forget(oldest, connection);
    }
    clients.add(clientId);
    this.#byClient.set(clientId, connection);
    this.#byConnection.set(connection, clients);
  }

  /** `undefined`: no producer of this id is connected. */
  find(clientId: string): number | undefined {
    return this.#byClient.get(clientId);
  }

  /** A connection is gone. */
  drop(connection: number): void {
    for (const clientId of this.#byConnection.get(connection) ?? []) {
      this.#byClient.delete(clientId);
    }
    this.#byConnection.delete(connection);
  }

  #forget(clientId: string, connection: number): void {
    const clients = this.#byConnection.get(connection);
    this.#byClient.delete(clientId);
    clients?.delete(clientId);
    if (clients?.size === 0) this.#byConnection.delete(connection);
  }
}
