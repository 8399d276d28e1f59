/**
 * Protocol 6.1: what clients need to trace. A consumer leaves a message out of its traces that says
 * no region, and some clients one that does not say it is traced.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeProperties } from "../../../src/model/properties.ts";
import type { RecordFields } from "../../../src/model/record.ts";
import { parseOffsetMessageId } from "../../../src/model/message_id.ts";
import { inWorld } from "./whole_world.ts";

function marksOf(records: readonly RecordFields[]): (string | undefined)[][] {
  return records.map(({ properties }) => {
    const decoded = decodeProperties(properties);
    return [decoded.get("MSG_REGION"), decoded.get("TRACE_ON")];
  });
}

test("6.1 what is stored says its region and that it is traced, as the answer", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const { extFields } = await client.send("a", { TAGS: "t" });
    await client.send("b", { MSG_REGION: "elsewhere", TRACE_ON: "false" });
    await client.send("c", { DELAY: "1" });
    await world.house.pass(1_000);

    const marks = marksOf(await client.pull());

    const here = [extFields["MSG_REGION"], extFields["TRACE_ON"]];
    assert.deepEqual(here, ["DefaultRegion", "true"]);
    assert.deepEqual(marks, [here, here, here]);
  }, true);
});

test("6.3 a committed message and one sent over HTTP are traced like any other", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const { extFields } = await client.send("a", { TRAN_MSG: "true", PGROUP: "P" }, { f: "4" });
    const id = parseOffsetMessageId(extFields["msgId"] ?? "");
    await client.call(37, {
      ...{ topic: "orders", producerGroup: "P", commitOrRollback: "8" },
      ...{ tranStateTableOffset: extFields["queueOffset"] ?? "", fromTransactionCheck: "false" },
      ...{ commitLogOffset: String(id?.physicalOffset), msgId: "K-a", transactionId: "K-a" },
    });
    const sent = { body: "b", queueId: 1, properties: { colour: "red" } };
    await world.house.ask("POST /v1/topics/orders/messages", sent);

    const marks = marksOf(await client.pull());

    assert.deepEqual(marks, [["DefaultRegion", "true"], ["DefaultRegion", "true"]]);
    const read = await world.house.ask("GET /v1/topics/orders/queues/1/messages?offset=1");
    assert.deepEqual(read.json.messages[0].properties, { colour: "red" });
  }, true);
});

test("6.1 without a topic for traces nothing is said, and clients trace nothing", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const { extFields } = await client.send("a", {});
    assert.equal(extFields["TRACE_ON"], "false");
    assert.deepEqual(marksOf(await client.pull()), [[undefined, undefined]]);
  });
});
