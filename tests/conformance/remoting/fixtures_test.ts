/**
 * What official clients once sent to Apache RocketMQ, sent to us: the answers' codes must agree.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { isResponse, type RemotingCommand } from "../../../src/protocol/remoting/command.ts";
import { requestName } from "../../../src/protocol/remoting/codes.ts";
import { decodeCommand, encodeCommand } from "../../../src/protocol/remoting/command_frames.ts";
import { FrameDecoder } from "../../../src/protocol/remoting/frames.ts";
import { parseOffsetMessageId } from "../../../src/model/message_id.ts";
import { type Received, settled, type TestClient, TestWorld } from "./test_client.ts";

const folder = new URL("./fixtures/", import.meta.url);

type Recorded = { connection: number; from: "client" | "broker"; command: Received };

/** Where we answer otherwise on purpose, or the test's broker cannot do what a real one does. */
const excused = [
  // An empty queue has nothing that could be missed, and 22 makes the client ask twice.
  /^QUERY_CONSUMER_OFFSET %RETRY%\w+: 22, ours 0$/,
  // The broker in memory does not deliver again what was sent back.
  /^PULL_MESSAGE %RETRY%\w+: 0, ours 19$/,
  // Our retry topics come with their group, not with its first heartbeat.
  /^GET_ROUTEINFO_BY_TOPIC %RETRY%\w+: 17, ours 0$/,
];

function readRecorded(name: string): Recorded[] {
  const lines = readFileSync(new URL(name, folder), "utf8").trim().split("\n");
  return lines.map((line) => {
    const { connection, from, hex } = JSON.parse(line);
    return { connection, from, command: decode(Buffer.from(hex, "hex")) };
  });
}

function decode(bytes: Uint8Array): Received {
  let found: Received | undefined;
  new FrameDecoder().push(bytes, (frame) => {
    found = { ...decodeCommand(frame), body: frame.body };
  });
  assert.ok(found, "a line of the recording is one frame");
  return found;
}

/** One recording, played to a broker in memory. */
class Replay {
  readonly world = new TestWorld({ brokerName: "broker-a" });
  readonly differences: string[] = [];
  compared = 0;
  readonly #clients = new Map<number, TestClient>();
  readonly #asked = new Map<string, RemotingCommand>();
  readonly #answers: Recorded[] = [];
  /** Their physical offsets → ours. */
  readonly #moved = new Map<number, number>();

  async play(recorded: readonly Recorded[]): Promise<void> {
    for (const each of recorded) {
      if (each.from === "client") await this.#ask(each);
      else if (isResponse(each.command)) this.#learn(each);
    }
    // Pulls that were waiting at the end, or for messages we do not deliver, give up.
    this.world.broker.advance(30_000);
    await settled();
    for (const answer of this.#answers) this.#compare(answer);
  }

  async #ask({ connection, command }: Recorded): Promise<void> {
    if (isResponse(command)) return;
    this.#asked.set(`${connection}/${command.opaque}`, command);
    let client = this.#clients.get(connection);
    if (client === undefined) {
      client = this.world.connect();
      this.#clients.set(connection, client);
    }
    const named = command.code === 36 ? this.#translated(command) : command;
    for (const piece of encodeCommand(named, command.body)) client.feed(piece);
    await settled();
  }

  #translated(command: RemotingCommand): RemotingCommand {
    const offset = this.#moved.get(Number(command.extFields["offset"]));
    return { ...command, extFields: { ...command.extFields, offset: String(offset) } };
  }

  #learn(answer: Recorded): void {
    this.#answers.push(answer);
    const theirs = answer.command.extFields["msgId"]?.split(",") ?? [];
    const ours = this.#ours(answer)?.extFields["msgId"]?.split(",") ?? [];
    theirs.forEach((id, index) => {
      const [from, to] = [parseOffsetMessageId(id), parseOffsetMessageId(ours[index] ?? "")];
      if (from && to) this.#moved.set(from.physicalOffset, to.physicalOffset);
    });
  }

  #ours({ connection, command }: Recorded): Received | undefined {
    return this.#clients.get(connection)?.answerTo(command.opaque);
  }

  #compare(theirs: Recorded): void {
    const asked = this.#asked.get(`${theirs.connection}/${theirs.command.opaque}`);
    if (asked === undefined) return;
    this.compared++;
    const ours = this.#ours(theirs);
    if (ours?.code === theirs.command.code) return;
    const of = asked.extFields["topic"] ?? asked.extFields["group"] ?? "";
    const found = ours === undefined ? "none" : `${ours.code}`;
    const line = `${requestName(asked.code)} ${of}: ${theirs.command.code}, ours ${found}`;
    if (!excused.some((pattern) => pattern.test(line))) this.differences.push(line);
  }
}

for (const name of readdirSync(folder).filter((each) => each.endsWith(".jsonl"))) {
  test(`16 the recording ${name} is answered with the codes RocketMQ answered`, async () => {
    const replay = new Replay();
    // Made before the recording began.
    if (name.startsWith("ali-ons")) replay.world.broker.addTopic("ali_t", { queues: 2 });

    await replay.play(readRecorded(name));

    assert.deepEqual(replay.differences, []);
    assert.ok(replay.compared > 10, `${replay.compared} answers were compared`);
    assert.deepEqual(replay.world.logged.filter((record) => record.level !== "info"), []);
  });
}
