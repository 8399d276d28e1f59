/** Fills a source over the protocol, as its producers would, and reads both sides. @module */
import { utf8 } from "../../src/base/bytes.ts";
import { limits } from "../../src/base/limits.ts";
import { type QueueRange, rangesOf } from "../../src/cli/import/facts.ts";
import type { Message } from "../../src/cli/import/message.ts";
import { RemotingClient } from "../../src/cli/import/remoting_client.ts";
import type { Trust } from "../../src/cli/import/trust.ts";
import { pullPiece } from "../../src/cli/import/pull.ts";
import { requestCodes } from "../../src/protocol/remoting/codes.ts";
import { fakeHost } from "../support/fake_host.ts";

/** What a producer sends. */
export type Produced = {
  readonly body: string | Uint8Array;
  readonly queueId: number;
  readonly bornMs: number;
  readonly properties?: Readonly<Record<string, string>>;
  readonly flag?: number;
  readonly sysFlag?: number;
};

/** A client of a broker on this machine; by TLS, if `trust` says so. */
export function clientOf(remotingPort: number, trust?: Trust): RemotingClient {
  const address = { host: "127.0.0.1", port: remotingPort };
  return new RemotingClient(address, {
    host: fakeHost([]),
    timeoutMs: 20_000,
    serializer: "json",
    trust,
  });
}

/** Sends in order. */
export async function produce(
  client: RemotingClient,
  topic: string,
  messages: readonly Produced[],
): Promise<void> {
  for (let at = 0; at < messages.length; at += limits.importPullMessagesMax) {
    const some = messages.slice(at, at + limits.importPullMessagesMax);
    const answers = await client.askAll(some.map((message) => ({
      code: requestCodes.sendMessageV2,
      fields: fieldsOf(topic, message),
      body: typeof message.body === "string" ? utf8(message.body) : message.body,
    })));
    const refused = answers.find(({ code }) => code !== 0);
    if (refused !== undefined) throw new Error(`A send was refused: ${refused.remark}`);
  }
}

/** Every message of a queue, from `first` on. */
export async function readAll(
  client: RemotingClient,
  topic: string,
  queueId: number,
  first = 0,
): Promise<Message[]> {
  const found: Message[] = [];
  for (let at = first;;) {
    const { messages, next } = await pullPiece(client, topic, queueId, at);
    found.push(...messages);
    if (next <= at) return found;
    at = next;
  }
}

/** How far a queue reaches. */
export async function rangeOf(
  client: RemotingClient,
  topic: string,
  queueId: number,
): Promise<QueueRange> {
  const request = { code: requestCodes.getTopicStatsInfo, fields: { topic } };
  const ranges = rangesOf((await client.ask(request)).body);
  const range = ranges.find((each) => each.queueId === queueId);
  if (range === undefined) throw new Error(`Topic ${topic} has no queue ${queueId}`);
  return range;
}

/** Moves a group to a place. */
export async function commitPlace(
  client: RemotingClient,
  group: string,
  topic: string,
  queueId: number,
  offset: number,
): Promise<void> {
  const queue = { consumerGroup: group, topic, queueId: String(queueId) };
  const fields = { ...queue, commitOffset: String(offset) };
  await client.ask({ code: requestCodes.updateConsumerOffset, fields });
}

function fieldsOf(topic: string, message: Produced): Record<string, string> {
  const { queueId, bornMs, properties = {}, flag = 0, sysFlag = 0 } = message;
  const entries = Object.entries(properties);
  return {
    a: "producers",
    b: topic,
    c: "TBW102",
    d: "4",
    e: String(queueId),
    f: String(sysFlag),
    g: String(bornMs),
    h: String(flag),
    i: entries.map(([name, value]) => `${name}\u0001${value}\u0002`).join(""),
    j: "0",
    k: "false",
    m: "false",
  };
}
