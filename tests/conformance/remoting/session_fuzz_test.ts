/** Bytes nobody meant: a session closes or answers, and keeps neither exceptions nor memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../../src/base/bytes.ts";
import { limits } from "../../../src/base/limits.ts";
import { Prng } from "../../../src/base/prng.ts";
import { requestCodes } from "../../../src/protocol/remoting/codes.ts";
import { encodeCommand } from "../../../src/protocol/remoting/command_frames.ts";
import { settled, type TestClient, TestWorld } from "./test_client.ts";

const frames = 20_000;
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

test("2 20,000 bent frames bring no exception to light, and no memory stays", async () => {
  const prng = new Prng(20_261_122);
  const world = new TestWorld();
  world.broker.addTopic("T");
  let client: TestClient | undefined;
  let [opened, answered] = [0, 0];

  for (let sent = 0; sent < frames; sent++) {
    if (client === undefined || client.connection.isDestroyed) {
      client = world.connect();
      opened++;
    }
    client.feed(bentFrame(prng));
    if (sent % 4 === 0) await settled();
    answered += client.connection.received.splice(0).length;
  }
  world.broker.advance(limits.pollWaitMsMax);
  await settled();

  assert.ok(opened > 100, `${opened} connections were opened`);
  assert.ok(answered > frames / 10, `${answered} requests were answered`);
  assert.equal(world.sessions.size, client?.connection.isDestroyed === true ? 0 : 1);
  assert.equal(world.broker.gone.length, opened - world.sessions.size);
  assert.equal(world.broker.waiters.size, 0);
  const failures = world.logged.filter((record) => record.level === "error");
  assert.deepEqual(failures.slice(0, 3).map((record) => record.fields), []);
});
