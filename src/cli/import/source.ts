/**
 * The cluster that is copied from. It is only read: what it is asked changes nothing in it, but
 * that a broker which makes groups on the fly gets to know the group that reads.
 *
 * @module
 */
import { requestCodes, responseCodes } from "../../protocol/remoting/codes.ts";
import type { Address } from "../bench/sockets.ts";
import { RefusedError, UnreachableError } from "../failure.ts";
import {
  type BrokerFacts,
  brokersOf,
  delayOffsetsOf,
  type GroupFacts,
  type GroupPlace,
  groupPlacesOf,
  groupsOf,
  placesOf,
  type QueueRange,
  rangesOf,
  type TopicFacts,
  topicListOf,
  topicsOf,
} from "./facts.ts";
import { type Piece, pullPiece } from "./pull.ts";
import { addressText, RemotingClient, type RemotingParts } from "./remoting_client.ts";

/** Names on one page of a list: brokers that know no pages send all at once. */
const pageNames = 500;

/** What to try when the source does not answer: to start a Curlew would not help. */
export const sourceHint =
  "Give the address of its name server, rocketmq://HOST:9876; its brokers' addresses must be " +
  "reachable from here too";

/** A queue of the source. */
export type SourceQueue = {
  readonly broker: string;
  readonly topic: string;
  readonly queueId: number;
};

/**
 * Finds a cluster's brokers by the first name server that answers.
 *
 * @throws {UnreachableError} None does.
 * @throws {RefusedError} It knows no broker.
 */
export async function openSource(
  nameServers: readonly Address[],
  parts: RemotingParts,
): Promise<Source> {
  const failures: UnreachableError[] = [];
  for (const address of nameServers) {
    const client = new RemotingClient(address, parts);
    try {
      const { body } = await client.ask({ code: requestCodes.getBrokerClusterInfo });
      const brokers = brokersOf(body);
      if (brokers.length > 0) return new Source(brokers, parts);
      const message = `The name server ${addressText(address)} knows no broker with a master`;
      throw new RefusedError("source_empty", message, false);
    } catch (thrown) {
      if (!(thrown instanceof UnreachableError)) throw thrown;
      failures.push(thrown);
    } finally {
      client.close();
    }
  }
  const told = failures.map(({ message }) => message).join("; ");
  const hint = failures.find((each) => each.hint !== sourceHint)?.hint ?? sourceHint;
  throw new UnreachableError(`Cannot read the source: ${told}`, false, { hint });
}

/** One cluster, by its brokers. Close it at the end. */
export class Source {
  readonly #parts: RemotingParts;
  readonly #clients = new Map<string, RemotingClient>();
  /** Masters in the order of their names. */
  readonly brokers: readonly BrokerFacts[];

  constructor(brokers: readonly BrokerFacts[], parts: RemotingParts) {
    this.brokers = brokers;
    this.#parts = parts;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  /** Topics of one broker. */
  async topics(broker: string): Promise<TopicFacts[]> {
    return await this.#paged(broker, requestCodes.getAllTopicConfig, topicsOf, "topicSeq");
  }

  /** Groups of one broker. */
  async groups(broker: string): Promise<GroupFacts[]> {
    const code = requestCodes.getAllSubscriptiongroupConfig;
    return await this.#paged(broker, code, groupsOf, "groupSeq");
  }

  /** Topics that are the broker's own, by its word. */
  async systemTopics(broker: string): Promise<string[]> {
    const request = { code: requestCodes.getSystemTopicListFromBroker };
    return topicListOf((await this.#client(broker).ask(request)).body);
  }

  /** How far each queue of a topic reaches. */
  async ranges(broker: string, topic: string): Promise<QueueRange[]> {
    const request = { code: requestCodes.getTopicStatsInfo, fields: { topic } };
    const answer = await this.#client(broker).ask(request, responseCodes.topicNotExist);
    return answer.code === responseCodes.topicNotExist ? [] : rangesOf(answer.body);
  }

  /** Where all groups are: told at once, or of a broker that has too many, group by group. */
  async places(broker: string): Promise<GroupPlace[]> {
    const { flowControl, requestCodeNotSupported } = responseCodes;
    const request = { code: requestCodes.getAllConsumerOffset };
    const answer = await this.#client(broker).ask(request, flowControl, requestCodeNotSupported);
    if (answer.code === responseCodes.success) return placesOf(answer.body);
    const places: GroupPlace[] = [];
    for (const { name } of await this.groups(broker)) {
      const fields = { consumerGroup: name };
      const one = { code: requestCodes.getConsumeStats, fields };
      places.push(...groupPlacesOf((await this.#client(broker).ask(one)).body, name));
    }
    return places;
  }

  /** Where the delay levels are. */
  async delayOffsets(broker: string): Promise<ReadonlyMap<number, number>> {
    const request = { code: requestCodes.getAllDelayOffset };
    return delayOffsetsOf((await this.#client(broker).ask(request)).body);
  }

  /** Messages of a queue from `offset` on. */
  async pull({ broker, topic, queueId }: SourceQueue, offset: number): Promise<Piece> {
    return await pullPiece(this.#client(broker), topic, queueId, offset);
  }

  async #paged<T>(
    broker: string,
    code: number,
    read: (body: Uint8Array) => T[],
    first: "topicSeq" | "groupSeq",
  ): Promise<T[]> {
    const [size, total] = first === "topicSeq"
      ? ["maxTopicNum", "totalTopicNum"]
      : ["maxGroupNum", "totalGroupNum"];
    const found: T[] = [];
    for (;;) {
      const fields = { [first]: String(found.length), [size]: String(pageNames) };
      const answer = await this.#client(broker).ask({ code, fields });
      const page = read(answer.body);
      found.push(...page);
      // Brokers before 5.3.2 know no pages: they send all, and no total.
      const count = Number(answer.fields[total] ?? 0);
      if (page.length === 0 || found.length >= count) return found;
    }
  }

  #client(broker: string): RemotingClient {
    const known = this.#clients.get(broker);
    if (known !== undefined) return known;
    const facts = this.brokers.find(({ name }) => name === broker);
    if (facts === undefined) {
      throw new RefusedError("broker_gone", `The source has no broker ${broker} any more`, false);
    }
    const client = new RemotingClient(facts.address, this.#parts);
    this.#clients.set(broker, client);
    return client;
  }
}
