import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { WireError } from "../../model/errors.ts";
import { JavaObject, parseJavaJson } from "./java_json.ts";
import { messageQueueMapText, parseMessageQueueMap } from "./message_queue_keys.ts";

const queues = [
  { topic: "T", brokerName: "b", queueId: 0 },
  { topic: 'T"{},:', brokerName: "ü", queueId: 7 },
];

test("messageQueueMapText() writes the form that Java reads (10)", () => {
  assert.equal(
    messageQueueMapText([[{ topic: "T", brokerName: "b", queueId: 0 }, 5]]),
    '{{"brokerName":"b","queueId":0,"topic":"T"}:5}',
  );
  assert.equal(messageQueueMapText([]), "{}");
});

test("parseMessageQueueMap() reads back what messageQueueMapText() wrote", () => {
  const text = `{"offsetTable":${messageQueueMapText(queues.map((queue, at) => [queue, at]))}}`;

  assert.deepEqual(parseMessageQueueMap(text, "offsetTable"), [[queues[0], 0], [queues[1], 1]]);
  assert.deepEqual(parseMessageQueueMap(text, "other"), []);
});

test("parseMessageQueueMap() takes other orders, spaces and quoted keys", () => {
  const text = '{ "t" : { { "topic":"T", "queueId":"3", "brokerName":"b" } : {"maxOffset": 9},' +
    '"{\\"brokerName\\":\\"b\\",\\"queueId\\":4,\\"topic\\":\\"T\\"}":1 } }';
  const found = parseMessageQueueMap(text, "t");

  assert.deepEqual(found.map(([queue]) => queue.queueId), [3, 4]);
  assert.equal((found[0]?.[1] as JavaObject).get("maxOffset"), 9);
});

test("parseMessageQueueMap() refuses keys that are no queue", () => {
  for (const text of ["[]", '{"t":[]}', '{"t":{"x":1}}', '{"t":{{}:1}}', '{"t":{1:1}}']) {
    assert.throws(() => parseMessageQueueMap(text, "t"), WireError, text);
  }
});

test("parseJavaJson() reads standard JSON as JSON.parse() does", () => {
  for (const text of ['[1,-2.5e3,true,null,"a\\u00fc\\n"]', '""', "[]", " 7 ", "[[],[[1]]]"]) {
    assert.deepEqual(parseJavaJson(text), JSON.parse(text));
  }
});

test("parseJavaJson() refuses everything else with a WireError, however deep or long", () => {
  const texts = ["", "{", "[1,]", "[1 2]", '"\\x"', '"\n"', "tru", "{1}", "7 7", "[".repeat(1e5)];
  texts.push("{".repeat(1e5), '"' + "\\".repeat(1e5), "-".repeat(1e5), '"' + "a".repeat(1e6));
  for (const text of texts) assert.throws(() => parseJavaJson(text), WireError, text.slice(0, 20));
});

test("parseJavaJson() answers random text with a value or a WireError", () => {
  const prng = new Prng(10);
  const pieces = [...'{}[]:,"\\-01 ', "true", "null", '"a"', '{"a":1}', "1.5", "\ud800"];
  for (let round = 0; round < 30_000; round++) {
    const text = Array.from({ length: prng.int(12) }, () => prng.pick(pieces)).join("");
    try {
      parseJavaJson(text);
    } catch (error) {
      assert.ok(error instanceof WireError, `${text}: ${error}`);
    }
  }
});
