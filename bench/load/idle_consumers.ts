/**
 * What connected consumers cost that have nothing to do: a broker in a process of its own, and here
 * as many RocketMQ connections as asked for. Each sends heartbeats and always has a pull waiting,
 * as a consumer does.
 *
 *     deno run -A bench/load/idle_consumers.ts [connections] [seconds] [connect | heartbeat | pull]
 *
 * The last word is how far they go, to see where the memory is. Ends with 1 when they cost more
 * than 150 MB.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a bench prints
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { utf8 } from "../../src/base/bytes.ts";
import { requestCodes } from "../../src/protocol/remoting/codes.ts";
import { decodeCommand, encodeCommand } from "../../src/protocol/remoting/command_frames.ts";
import { FrameDecoder } from "../../src/protocol/remoting/frames.ts";
import { askWell } from "../../tests/support/broker_api.ts";
import { startBroker } from "../../tests/support/broker_process.ts";

const connections = Number(process.argv[2] ?? 5_000);
const seconds = Number(process.argv[3] ?? 75);
const goesTo = process.argv[4] ?? "pull";
const costBytesMax = 150_000_000;
/** Members of one group, and queues of the topic that all read. */
const [membersPerGroup, queues] = [100, 16];
/** As Java's clients have it. */
const [heartbeatMs, pullWaitMs] = [30_000, 15_000];
/** Connections begun at one time: below what a listener's backlog takes. */
const dialled = 100;

/** One consumer. */
class IdleConsumer {
  readonly #socket: Socket;
  readonly #number: number;
  readonly #decoder = new FrameDecoder();
  readonly #group: string;
  readonly #clientId: string;
  #opaque = 0;
  #pullOpaque = 0;
  /** Pulls that were answered, and heartbeats. */
  answers = { pulls: 0, heartbeats: 0, notices: 0 };

  constructor(socket: Socket, number: number) {
    this.#socket = socket;
    this.#number = number;
    this.#group = `group-${Math.floor(number / membersPerGroup)}`;
    this.#clientId = `10.0.0.${number % 256}@${number}#${1_700_000_000_000 + number}`;
    socket.on("data", (chunk: Uint8Array) => this.#read(chunk));
    socket.on("error", (error) => fail(`connection ${number} failed: ${error.message}`));
    socket.on("close", () => fail(`connection ${number} was closed`));
  }

  static async connect(port: number, number: number): Promise<IdleConsumer> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    return new IdleConsumer(socket, number);
  }

  /** Says something once, so that it is not taken for somebody who has nothing to say. */
  greet(): void {
    this.#post(requestCodes.getBrokerClusterInfo, {});
  }

  leave(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  /** Shows that it lives; the first time it begins to pull. */
  heartbeat(): void {
    const subscription = (topic: string, subString: string) => ({
      ...{ classFilterMode: false, codeSet: [], expressionType: "TAG", subString },
      ...{ subVersion: 1_700_000_000_000 + this.#number, tagsSet: [], topic },
    });
    const body = {
      clientID: this.#clientId,
      consumerDataSet: [{
        ...{ consumeFromWhere: "CONSUME_FROM_LAST_OFFSET", consumeType: "CONSUME_PASSIVELY" },
        ...{ groupName: this.#group, messageModel: "CLUSTERING", unitMode: false },
        subscriptionDataSet: [
          subscription("idle", "*"),
          subscription(`%RETRY%${this.#group}`, "*"),
        ],
      }],
      heartbeatFingerprint: 0,
      producerDataSet: [{ groupName: "CLIENT_INNER_PRODUCER" }],
      withoutSub: false,
    };
    this.#post(requestCodes.heartBeat, {}, utf8(JSON.stringify(body)));
  }

  #pull(): void {
    this.#pullOpaque = this.#post(requestCodes.pullMessage, {
      ...{ consumerGroup: this.#group, topic: "idle", queueId: String(this.#number % queues) },
      ...{ queueOffset: "0", maxMsgNums: "32", sysFlag: "2", commitOffset: "0" },
      ...{ suspendTimeoutMillis: String(pullWaitMs), subVersion: "0", expressionType: "TAG" },
      maxMsgBytes: "262144",
    });
  }

  #post(code: number, extFields: Record<string, string>, body?: Uint8Array): number {
    const opaque = ++this.#opaque;
    const head = { code, language: "JAVA", version: 479, opaque, flag: 0, remark: undefined };
    for (const piece of encodeCommand({ ...head, extFields, serializer: "json" }, body)) {
      this.#socket.write(piece);
    }
    return opaque;
  }

  #read(chunk: Uint8Array): void {
    this.#decoder.push(chunk, (frame) => {
      const { opaque, flag, code, remark } = decodeCommand(frame);
      if ((flag & 1) === 0) this.answers.notices++;
      else if (opaque === this.#pullOpaque) {
        this.answers.pulls++;
        this.#pull();
      } else {
        if (code !== 0) fail(`a heartbeat was answered with ${code}: ${remark}`);
        if (this.answers.heartbeats++ === 0 && goesTo === "pull") this.#pull();
      }
    });
  }
}

function fail(reason: string): never {
  console.log(reason);
  process.exit(1);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

const data = mkdtempSync(join(tmpdir(), "curlew-idle-"));
const broker = await startBroker({ data, settings: ["--shards", "1"] });
const residentBytes = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${broker.pid}/status`, "utf8"))?.[1]) * 1024;
await askWell(broker.http, "PUT /v1/topics/idle", { queues });

/** The broker's figures of waiting requests, from its metrics. */
async function parked(): Promise<string> {
  const text = await (await fetch(`${broker.http}/metrics`)).text();
  return /^curlew_\w*parked\w*(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? "?";
}

await wait(3_000);
const beforeBytes = residentBytes();
console.log(`before                 ${megabytes(beforeBytes)}`);

const consumers: IdleConsumer[] = [];
const beganMs = performance.now();
while (consumers.length < connections) {
  const some = Array.from(
    { length: Math.min(dialled, connections - consumers.length) },
    (_, at) => IdleConsumer.connect(broker.remotingPort, consumers.length + at),
  );
  for (const consumer of await Promise.all(some)) {
    consumers.push(consumer);
    if (goesTo === "connect") consumer.greet();
    else consumer.heartbeat();
  }
}
if (goesTo !== "connect") {
  for (const consumer of consumers) setInterval(() => consumer.heartbeat(), heartbeatMs);
}
const connectedMs = performance.now() - beganMs;
console.log(`${connections} connected         ${(connectedMs / 1000).toFixed(1)} s`);

let costBytes = 0;
for (let waited = 0; waited < seconds; waited += 15) {
  await wait(15_000);
  costBytes = residentBytes() - beforeBytes;
  console.log(
    `after ${String(waited + 15).padStart(3)} s            ${megabytes(residentBytes())}: ` +
      `${megabytes(costBytes)} more, ${
        (costBytes / connections / 1000).toFixed(1)
      } kB a consumer, ` +
      `${await parked()} parked`,
  );
}
const sums = { pulls: 0, heartbeats: 0, notices: 0 };
for (const { answers } of consumers) {
  sums.pulls += answers.pulls;
  sums.heartbeats += answers.heartbeats;
  sums.notices += answers.notices;
}
console.log(
  `answered: ${sums.heartbeats} heartbeats, ${sums.pulls} pulls; ${sums.notices} notices`,
);
for (const consumer of consumers) consumer.leave();
await broker.stop();
rmSync(data, { recursive: true, force: true });
const isWithin = costBytes <= costBytesMax;
console.log(`${isWithin ? "within" : "ABOVE"} ${megabytes(costBytesMax)}`);
process.exit(isWithin ? 0 : 1);
