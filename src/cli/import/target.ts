/**
 * The Curlew that is copied to. Asked over RocketMQ's protocol too, because a send of that protocol
 * says all there is to say of a message: born time, flags, a body that is compressed.
 *
 * @module
 */
import { utf8 } from "../../base/bytes.ts";
import { requestCodes, responseCodes } from "../../protocol/remoting/codes.ts";
import { type Address, parseAddress } from "../bench/sockets.ts";
import { UnreachableError } from "../failure.ts";
import {
  type GroupFacts,
  groupsOf,
  type QueueRange,
  rangesOf,
  type TopicFacts,
  topicsOf,
} from "./facts.ts";
import { type Message, sendFields } from "./message.ts";
import { type Piece, pullPiece } from "./pull.ts";
import { type RemotingAnswer, RemotingClient, type RemotingParts } from "./remoting_client.ts";

/** A queue of the target. */
export type TargetQueue = { readonly topic: string; readonly queueId: number };

/** What became of one send. */
export type Sent =
  | { readonly kind: "stored"; readonly offset: number }
  | { readonly kind: "refused"; readonly answer: RemotingAnswer };

/** Finds the remoting address of a Curlew by its HTTP address: `GET /rocketmq/nsaddr`. */
export async function findTarget(url: string, timeoutMs: number): Promise<Address> {
  let text: string;
  try {
    const path = new URL("rocketmq/nsaddr", url);
    const response = await fetch(path, { signal: AbortSignal.timeout(timeoutMs) });
    text = (await response.text()).trim();
    if (!response.ok) throw new Error(`it answered with status ${response.status}`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot ask ${url} where it speaks RocketMQ's protocol: ${reason}`;
    throw new UnreachableError(message, false, { cause });
  }
  const [first = ""] = text.split(";");
  return parseAddress(first, `/rocketmq/nsaddr of ${url}`);
}

/** One broker. Close it at the end. */
export class Target {
  readonly #client: RemotingClient;

  constructor(address: Address, parts: RemotingParts) {
    this.#client = new RemotingClient(address, parts);
  }

  /** Where it is asked. */
  get address(): Address {
    return this.#client.address;
  }

  close(): void {
    this.#client.close();
  }

  /** All its topics, its own and derived ones too. */
  async topics(): Promise<TopicFacts[]> {
    return topicsOf((await this.#client.ask({ code: requestCodes.getAllTopicConfig })).body);
  }

  /** All its groups. */
  async groups(): Promise<GroupFacts[]> {
    const code = requestCodes.getAllSubscriptiongroupConfig;
    return groupsOf((await this.#client.ask({ code })).body);
  }

  /** How far each queue of a topic reaches; none if there is no such topic. */
  async ranges(topic: string): Promise<QueueRange[]> {
    const request = { code: requestCodes.getTopicStatsInfo, fields: { topic } };
    const answer = await this.#client.ask(request, responseCodes.topicNotExist);
    return answer.code === responseCodes.topicNotExist ? [] : rangesOf(answer.body);
  }

  /** Makes a topic, or changes the one there is. */
  async putTopic({ name, attributes, ...topic }: TopicFacts): Promise<void> {
    const config = {
      topicName: name,
      readQueueNums: topic.readQueues,
      writeQueueNums: topic.writeQueues,
      perm: topic.perm,
      order: topic.order,
      attributes,
    };
    const body = utf8(JSON.stringify({ topicConfigList: [config] }));
    await this.#client.ask({ code: requestCodes.updateAndCreateTopicList, body });
  }

  /** Makes a group with the settings that the source wrote. */
  async putGroup({ config }: GroupFacts): Promise<void> {
    const code = requestCodes.updateAndCreateSubscriptiongroup;
    await this.#client.ask({ code, body: utf8(config) });
  }

  /**
   * Sends messages to one queue, in order: they leave in one write and one connection.
   *
   * @throws {UnreachableError} The connection was lost: some of the first may be stored.
   */
  async send({ topic, queueId }: TargetQueue, messages: readonly Message[]): Promise<Sent[]> {
    const answers = await this.#client.askAll(messages.map((message) => ({
      code: requestCodes.sendMessageV2,
      fields: sendFields(message, topic, queueId),
      body: message.body,
    })));
    return answers.map((answer) => {
      const offset = Number(answer.fields["queueOffset"] ?? NaN);
      const isStored = answer.code === responseCodes.success && Number.isSafeInteger(offset);
      return isStored ? { kind: "stored", offset } : { kind: "refused", answer };
    });
  }

  /** Messages that are there already, from `offset` on. */
  async pull({ topic, queueId }: TargetQueue, offset: number): Promise<Piece> {
    return await pullPiece(this.#client, topic, queueId, offset);
  }

  /** Where a group is in a queue; `undefined` if nowhere. */
  async place(group: string, { topic, queueId }: TargetQueue): Promise<number | undefined> {
    const fields = {
      consumerGroup: group,
      topic,
      queueId: String(queueId),
      setZeroIfNotFound: "false",
    };
    const request = { code: requestCodes.queryConsumerOffset, fields };
    const answer = await this.#client.ask(request, responseCodes.queryNotFound);
    if (answer.code === responseCodes.queryNotFound) return undefined;
    return Number(answer.fields["offset"]);
  }

  /** Moves a group's place on. The broker never moves it back. */
  async commit(group: string, { topic, queueId }: TargetQueue, offset: number): Promise<void> {
    const fields = {
      consumerGroup: group,
      topic,
      queueId: String(queueId),
      commitOffset: String(offset),
    };
    await this.#client.ask({ code: requestCodes.updateConsumerOffset, fields });
  }
}
