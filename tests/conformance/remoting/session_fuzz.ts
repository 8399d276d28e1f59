/** Sessions given frames nobody meant: for the gate's test, and for longer runs. @module */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Prng } from "../../../src/base/prng.ts";
import { requestCodes } from "../../../src/protocol/remoting/codes.ts";
import { encodeCommand } from "../../../src/protocol/remoting/command_frames.ts";
import { settled, type TestClient, TestWorld } from "./test_client.ts";

const codes = Object.values(requestCodes);
const names = [
  ...["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "l", "m", "topic", "queueId", "offset"],
  ...["consumerGroup", "queueOffset", "maxMsgNums", "sysFlag", "commitOffset", "subVersion"],
  ...["suspendTimeoutMillis", "group", "delayLevel", "key", "maxNum", "timestamp", "namespace"],
];
const values = ["T", "G", "0", "1", "-1", "4", "9007199254740993", "", "true", "%RETRY%G", "*"];
const bodies = ["", "{}", "[]", "null", '{"clientID":"c"}', '{"mqSet":[{}]}', '{"groupName":7}'];

function randomFrame(prng: Prng): Uint8Array {
  const extFields: Record<string, string> = {};
  for (let count = prng.int(16); count > 0; count--) {
    extFields[prng.pick(names)] = prng.pick(values);
  }
  const pieces = encodeCommand({
    ...{ code: prng.pick(codes), language: "JAVA", version: prng.int(600), flag: 0 },
    ...{ opaque: prng.int(1_000_000), remark: undefined, extFields },
    serializer: prng.int(2) === 0 ? "json" : "binary",
  }, utf8(prng.pick(bodies)));
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

/** Mostly valid; else a byte is changed, the end cut off, or all of it is noise. */
function bentFrame(prng: Prng): Uint8Array {
  const frame = randomFrame(prng);
  switch (prng.int(60)) {
    case 0:
      frame[prng.int(frame.length)] = prng.int(256);
      return frame;
    case 1:
      return frame.subarray(0, prng.int(frame.length));
    case 2:
      return prng.bytes(prng.int(64));
    default:
      return frame;
  }
}

/** A broker in memory and one client after the other, which send what they should not. */
export class SessionFuzz {
  readonly #world = new TestWorld();
  #client: TestClient | undefined;
  #sent = 0;
  #opened = 0;
  #answered = 0;

  constructor() {
    this.#world.broker.addTopic("T");
  }

  /** Frames sent so far, requests answered, connections that it took. */
  get counts(): { readonly sent: number; readonly answered: number; readonly opened: number } {
    return { sent: this.#sent, answered: this.#answered, opened: this.#opened };
  }

  /** Sends one frame. */
  async send(prng: Prng): Promise<void> {
    if (this.#client === undefined || this.#client.connection.isDestroyed) {
      this.#client = this.#world.connect();
      this.#opened++;
    }
    this.#client.feed(bentFrame(prng));
    if (this.#sent++ % 4 === 0) await settled();
    this.#answered += this.#client.connection.received.splice(0).length;
  }

  /** What must hold whatever was sent: nothing was thrown, and nothing is kept. */
  async end(): Promise<void> {
    const { broker, sessions, logged } = this.#world;
    broker.advance(limits.pollWaitMsMax);
    await settled();
    assert.equal(sessions.size, this.#client?.connection.isDestroyed === true ? 0 : 1);
    assert.equal(broker.gone.length, this.#opened - sessions.size);
    assert.equal(broker.waiters.size, 0);
    const failures = logged.filter((record) => record.level === "error");
    assert.deepEqual(failures.slice(0, 3).map((record) => record.fields), []);
  }
}
