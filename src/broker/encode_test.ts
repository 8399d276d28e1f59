import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/clock.ts";
import { UniqueKeys } from "../model/message_id.ts";
import { decodeProperties } from "../model/properties.ts";
import { recordProperties } from "../model/record.ts";
import { sendOf } from "../../tests/support/one_thread_broker.ts";
import { RecordEncoder } from "./encode.ts";

const target = { topic: "orders", queueId: 0, storeHost: { ip: "127.0.0.1", port: 9876 } };

function stored(traceRegion: string | null, properties: Record<string, string>) {
  const uniqueKeys = new UniqueKeys(new ManualClock(), new Uint8Array(10).fill(1));
  const encoder = new RecordEncoder(uniqueKeys, traceRegion);
  const { records } = encoder.encode(sendOf("orders", ["a"], properties).messages, target);
  assert.ok(records[0]);
  return Object.fromEntries(decodeProperties(recordProperties(records[0], 0)));
}

test("RecordEncoder adds the region only where traces are taken", () => {
  assert.deepEqual(stored(null, { UNIQ_KEY: "k" }), { UNIQ_KEY: "k" });
  const traced = { UNIQ_KEY: "k", MSG_REGION: "here", TRACE_ON: "true" };
  assert.deepEqual(stored("here", { UNIQ_KEY: "k" }), traced);
});
