/**
 * Remoting sessions over a whole broker in one thread, with its HTTP interface beside them: for
 * what the shards decide, and for what passes from one protocol to the other.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createLog, type LogRecord } from "../../../src/base/log.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import { readRecord, type RecordFields, splitRecords } from "../../../src/model/record.ts";
import { RemotingSessions } from "../../../src/protocol/remoting/sessions.ts";
import { WholeHouse } from "../../support/whole_house.ts";
import { type CallOptions, FakeConnection, type Received, TestClient } from "./test_client.ts";

/** How often is looked for an answer that needs no time. */
const looksMax = 200;
/** The fields of a V2 send to queue 1 of topic `orders`. */
const sendFields = { a: "PG", b: "orders", c: "TBW102", d: "4", e: "1", f: "0", h: "0" };

/** A broker, its clients, and what the sessions logged. */
export class WholeWorld {
  readonly house: WholeHouse;
  readonly logged: LogRecord[] = [];
  #sessions: RemotingSessions | null = null;
  readonly #traceTopic: boolean;
  #connections = 0;

  constructor(traceTopic = false) {
    this.#traceTopic = traceTopic;
    this.house = new WholeHouse({ shards: 2, traceTopic });
  }

  get nowMs(): number {
    return this.house.broker.nowMs;
  }

  /** Begins a process on the files. */
  async start(): Promise<void> {
    await this.house.broker.start();
    this.#open();
  }

  /** Ends the process and begins another: every client has to connect anew. */
  async restart(): Promise<void> {
    this.#sessions?.stop();
    await this.house.broker.restart();
    this.#open();
  }

  /** Connects a client. */
  connect(): WholeClient {
    assert.ok(this.#sessions, "start the world first");
    const connection = new FakeConnection();
    this.#sessions.accept(++this.#connections, connection);
    return new WholeClient(this, connection);
  }

  #open(): void {
    const { door: broker, timers } = this.house.broker;
    const { clock } = timers;
    const sink = (record: LogRecord) => this.logged.push(record);
    this.#sessions = new RemotingSessions({
      broker,
      settings: {
        clusterName: "test",
        brokerName: "curlew",
        advertise: null,
        autoCreateTopics: false,
        region: "DefaultRegion",
        traceOn: this.#traceTopic,
      },
      clock,
      timers,
      log: createLog({ sink, wallMs: () => clock.wallMs() }),
      bootMs: clock.wallMs(),
    });
  }
}

/** A client whose requests are answered by the whole broker. */
export class WholeClient {
  readonly bytes: TestClient;
  readonly connection: FakeConnection;
  readonly #world: WholeWorld;

  constructor(world: WholeWorld, connection: FakeConnection) {
    this.#world = world;
    this.connection = connection;
    this.bytes = new TestClient(connection);
  }

  /** Writes a request and waits for its answer while no time passes. */
  async call(
    code: number,
    extFields: Record<string, string>,
    options: CallOptions = {},
  ): Promise<Received> {
    const opaque = this.bytes.post(code, extFields, options);
    for (let look = 0; look < looksMax && this.bytes.answerTo(opaque) === undefined; look++) {
      await this.#world.house.settle();
    }
    const answer = this.bytes.answerTo(opaque);
    assert.ok(answer, `request ${code} was answered`);
    return answer;
  }

  /** Sends a message by SEND_MESSAGE_V2, to queue 1 of `orders` unless told otherwise. */
  send(
    text: string,
    properties: Record<string, string>,
    fields: Record<string, string> = {},
  ): Promise<Received> {
    const entries = Object.entries({ UNIQ_KEY: `K-${text}`, ...properties });
    const i = entries.map(([name, value]) => `${name}\x01${value}\x02`).join("");
    const extFields = { ...sendFields, g: String(this.#world.nowMs), i, ...fields };
    return this.call(310, extFields, { body: utf8(text) });
  }

  /** Says that it produces for a group. */
  async produce(clientId: string, group: string): Promise<void> {
    const heartbeat = { clientID: clientId, producerDataSet: [{ groupName: group }] };
    const answer = await this.call(34, {}, { body: utf8(JSON.stringify(heartbeat)) });
    assert.equal(answer.code, 0);
  }

  /** All messages of a queue. */
  async pull(topic = "orders", queueId = 1): Promise<RecordFields[]> {
    const answer = await this.call(11, {
      ...{ consumerGroup: "readers", topic, queueId: String(queueId), queueOffset: "0" },
      ...{ maxMsgNums: "32", sysFlag: "4", commitOffset: "0", suspendTimeoutMillis: "0" },
      ...{ subscription: "*", subVersion: "0", expressionType: "TAG" },
    });
    if (answer.code === 19) return [];
    assert.equal(answer.code, 0, answer.remark);
    return splitRecords(answer.body).map((record) => readRecord(record));
  }

  /** What the broker asked of this client. */
  asked(code: number): Received[] {
    return this.connection.received.filter((each) => each.code === code && (each.flag & 1) === 0);
  }

  /** Answers a request of the broker. */
  answer({ opaque }: Received, code = 0): void {
    this.bytes.answer(opaque, code);
  }
}

/** Runs `work` with topic `orders` of four queues. */
export async function inWorld(
  work: (world: WholeWorld) => Promise<void>,
  traceTopic = false,
): Promise<void> {
  const world = new WholeWorld(traceTopic);
  const { broker } = world.house;
  try {
    await world.start();
    await broker.run(broker.door.createTopic("orders", { queues: 4 }));
    await broker.run(broker.door.createGroup("readers", { startFrom: "earliest" }));
    await work(world);
  } finally {
    await broker.remove();
  }
}
