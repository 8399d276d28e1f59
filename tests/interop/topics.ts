/**
 * Creates topics for clients that cannot: over HTTP where the broker has it, otherwise with the two
 * requests every RocketMQ administration tool sends (106 finds the master, 17 creates).
 *
 *     frame   int32 length after this field │ int32 header length │ JSON header │ body
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import type { Broker } from "./brokers.ts";

const getClusterInfo = 106;
const updateAndCreateTopic = 17;
const answerTimeoutMs = 5_000;

type Answer = { code: number; remark?: string; body: string };

/** Creates a topic. Answers when the broker said it did. */
export async function createTopic(broker: Broker, topic: string, queues: number): Promise<void> {
  if (broker.http !== undefined) {
    const response = await fetch(`${broker.http}/v1/topics/${topic}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ queues }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot create topic ${topic}: ${response.status} ${text}`);
    return;
  }
  const master = await findMaster(broker.nameServer);
  if (master === undefined) throw new Error(`Cannot find a master at ${broker.nameServer}`);
  const fields = { topic, defaultTopic: "TBW102", perm: "6", topicFilterType: "SINGLE_TAG" };
  const counts = { readQueueNums: `${queues}`, writeQueueNums: `${queues}` };
  await ask(master, updateAndCreateTopic, {
    ...fields,
    ...counts,
    topicSysFlag: "0",
    order: "false",
  });
}

/** The address of a name server's first master; none before a broker has registered there. */
export async function findMaster(nameServer: string): Promise<string | undefined> {
  const cluster = await ask(nameServer, getClusterInfo, {});
  // The integer key of the table is quoted by some versions and bare in others.
  return /\{"?0"?:"([^"]+)"/.exec(cluster.body)?.[1];
}

/** One request on a connection of its own; anything but code 0 is an error. */
async function ask(
  address: string,
  code: number,
  extFields: Readonly<Record<string, string>>,
): Promise<Answer> {
  const answer = await exchange(address, { code, language: "JAVA", version: 493, extFields });
  if (answer.code !== 0) {
    throw new Error(`Cannot carry out request ${code}: ${answer.code} ${answer.remark ?? ""}`);
  }
  return answer;
}

function exchange(address: string, header: Record<string, unknown>): Promise<Answer> {
  const [host, port] = address.split(":");
  const json = Buffer.from(
    JSON.stringify({ ...header, opaque: 1, flag: 0, serializeTypeCurrentRPC: "JSON" }),
  );
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(json.length + 4, 0);
  lengths.writeInt32BE(json.length, 4);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host ?? "127.0.0.1");
    const deadline = setTimeout(
      () => socket.destroy(new Error(`No answer from ${address} within ${answerTimeoutMs} ms`)),
      answerTimeoutMs,
    );
    let received = Buffer.alloc(0);
    socket.on("connect", () => socket.write(Buffer.concat([lengths, json])));
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(deadline);
      reject(new Error(`${address} closed the connection without an answer`));
    });
    socket.on("data", (chunk: Uint8Array) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < received.readInt32BE(0) + 4) return;
      resolve(answerOf(received));
      socket.end();
    });
  });
}

function answerOf(frame: Buffer): Answer {
  const headerBytes = frame.readInt32BE(4) & 0xffffff;
  const header = JSON.parse(frame.toString("utf8", 8, 8 + headerBytes)) as {
    code: number;
    remark?: string;
  };
  return { ...header, body: frame.toString("utf8", 8 + headerBytes) };
}
