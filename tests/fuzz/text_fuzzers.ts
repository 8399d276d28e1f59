/**
 * Fuzzers of everything that arrives as text: properties, settings, filters, receipts, HTTP.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Prng } from "../../src/base/prng.ts";
import { readReceipt, type ReceiptParts, writeReceipt } from "../../src/broker/receipts.ts";
import { readSettings } from "../../src/config/read.ts";
import { flagOf, settingNames, variableOf } from "../../src/config/schema.ts";
import { compileExpression } from "../../src/core/filter.ts";
import { BrokerError } from "../../src/model/errors.ts";
import {
  decodeProperties,
  encodeProperties,
  readProperty,
  withoutProperties,
  withProperty,
} from "../../src/model/properties.ts";
import { HttpHouse, testSigner } from "../support/http_app.ts";
import { bentText, oddText } from "./bend.ts";
import { type Case, type Fuzzer, tolerate } from "./fuzzer.ts";
import { plainInfo } from "../support/request_info.ts";

const expressions = [
  ...["*", "a || b", "a||b||c", "price > 10 AND region = 'eu'", "a IS NOT NULL OR NOT (b <> 2)"],
  ...["x BETWEEN 1 AND 5", "s IN ('a', 'b')", "a LIKE 'x%'", "((((a = 1))))", "TRUE"],
] as const;
const lines = [
  ...["http_port = 8080", 'data = "./d"', "auto_create_topics = true", "shards = 4"],
  ...['log_level = "info"', 'retention_ms = "3d"', "[table]", "# note", 'host = "0.0.0.0"'],
] as const;
const methods = ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;
const paths = [
  "/v1/topics",
  "/v1/topics/orders",
  "/v1/topics/orders/messages",
  "/v1/topics/orders/queues/0/messages?offset=0&max=3",
  "/v1/topics/orders/groups/billing/receive",
  "/v1/topics/orders/groups/billing/ack",
  "/v1/topics/orders/groups/billing/nack",
  "/v1/topics/orders/groups/billing/extend",
  "/v1/groups/billing",
  "/v1/groups/billing/offsets",
  "/v1/groups/billing/reset",
  "/v1/messages?topic=orders&key=a",
  "/healthz",
  "/metrics",
  "/openapi.json",
] as const;
const bodies = [
  '{"body":"a","keys":["k"],"properties":{"p":"v"},"queueId":0}',
  '{"messages":[{"body":"a"},{"bodyBase64":"AAE="}]}',
  '{"max":1,"waitMs":0,"invisibleMs":1000,"tags":"a || b"}',
  '{"receipts":["1.0.m.0.x.y"],"delayMs":5,"invisibleMs":100}',
  '{"topic":"orders","to":{"offset":3}}',
  '{"queues":3,"durability":"power-loss"}',
  '{"offsets":[{"topic":"orders","queueId":0,"offset":1}]}',
] as const;
const types = [
  "application/json",
  "application/x-ndjson",
  "text/plain",
  "",
  "multipart/x",
] as const;

function fuzzProperties(prng: Prng): void {
  const text = bentText(prng, `a\u0001${prng.int(9)}\u0002b\u0001${oddText(prng)}\u0002`);
  const read = decodeProperties(text);
  for (const [name, value] of read) assert.equal(typeof readProperty(text, name), typeof value);
  const rest = withoutProperties(text, ["a"]);
  assert.equal(decodeProperties(rest).get("a"), undefined);
  tolerate([BrokerError], () => {
    const written = withProperty(text, "new", oddText(prng));
    assert.ok(decodeProperties(written).has("new"));
  });
  const pairs = [["k", oddText(prng)], [oddText(prng) || "n", "v"]] as const;
  const encoded = tolerate([BrokerError], () => encodeProperties(pairs));
  if (encoded !== undefined) assert.deepEqual(decodeProperties(encoded), new Map(pairs));
}

function fuzzSettings(prng: Prng): void {
  const text = Array.from({ length: prng.int(5) }, () => bentText(prng, prng.pick(lines))).join(
    "\n",
  );
  const name = prng.pick(settingNames);
  const flags = prng.chance(0.5) ? [flagOf(name), oddText(prng)] : [bentText(prng, flagOf(name))];
  const environment = { [variableOf(name)]: oddText(prng) };
  const file = { path: "curlew.toml", text };
  const outcome = readSettings({ flags, environment, file, facts: { cores: 2 } });
  if (outcome.kind === "faults") assert.ok(outcome.faults.length > 0, "faults say something");
}

function fuzzFilter(prng: Prng): void {
  const language = prng.pick(["TAG", "SQL92"] as const);
  const text = prng.chance(0.7) ? bentText(prng, prng.pick(expressions)) : oddText(prng, 40);
  tolerate([BrokerError], () => compileExpression({ language, text }));
}

function fuzzReceipt(prng: Prng): void {
  const parts: ReceiptParts = {
    groupKey: prng.int(9),
    shard: prng.int(4),
    queueKey: prng.int(99),
    offset: prng.int(2 ** 40),
    lease: prng.int(2 ** 40),
  };
  const receipt = writeReceipt(testSigner, parts);
  assert.deepEqual(readReceipt(testSigner, parts.groupKey, receipt), parts);
  assert.equal(readReceipt(testSigner, parts.groupKey + 1, receipt), null);
  const bent = bentText(prng, receipt);
  if (bent !== receipt) assert.equal(readReceipt(testSigner, parts.groupKey, bent), null);
}

/**
 * Odd requests at the whole app. 5xx is a mistake of ours, except where the answer says otherwise.
 */
async function beginHttp(): Promise<Case> {
  const house = new HttpHouse();
  await house.broker.createTopic("orders", { queues: 2 });
  await house.broker.createGroup("billing", {});
  return async (prng) => {
    const path = prng.chance(0.5) ? prng.pick(paths) : oddPath(prng);
    const method = prng.pick(methods);
    const body = prng.chance(0.7) ? bentText(prng, prng.pick(bodies)) : oddText(prng, 20);
    const headers = new Headers();
    tolerate([TypeError], () => headers.set("content-type", prng.pick(types)));
    tolerate(
      [TypeError],
      () => headers.set(`x-curlew-${prng.pick(["tag", "keys"])}`, oddText(prng)),
    );
    const hasBody = method !== "GET" && method !== "HEAD";
    const url = `http://127.0.0.1:8080${path}`;
    const request = tolerate([TypeError], () => {
      return new Request(url, { method, headers, ...(hasBody && { body }) });
    });
    if (request === undefined) return;
    const response = await house.app.fetch(request, plainInfo);
    await response.body?.cancel();
    const what = `${method} ${path} ${body}`;
    assert.ok(response.status < 500 || response.status === 501, `${response.status} to ${what}`);
    const errors = house.logged.splice(0).filter(({ level }) => level === "error");
    assert.deepEqual(errors, [], what);
  };
}

function oddPath(prng: Prng): string {
  const bent = bentText(prng, prng.pick(paths));
  return `/${encodeURI(bent.isWellFormed() ? bent : "").replace(/^\/+/, "")}`;
}

/** By name. */
export const textFuzzers: Readonly<Record<string, Fuzzer>> = {
  properties: {
    claim: "odd properties never throw; what was encoded comes back",
    begin: () => fuzzProperties,
  },
  settings: {
    claim: "odd settings are settings or told faults",
    begin: () => fuzzSettings,
  },
  filter: {
    claim: "an odd expression compiles or is refused",
    begin: () => fuzzFilter,
  },
  receipt: {
    claim: "a receipt with any change is no receipt",
    begin: () => fuzzReceipt,
  },
  http: {
    claim: "an odd request is answered below 500, and nothing is logged as our mistake",
    begin: beginHttp,
  },
};
