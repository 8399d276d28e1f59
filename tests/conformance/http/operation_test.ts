import assert from "node:assert/strict";
import { test } from "node:test";
import { endpoints } from "../../../src/protocol/http/app.ts";
import { errorCodes } from "../../../src/model/error_codes.ts";
import { HttpHouse, openHouse } from "../../support/http_app.ts";

test("HTTP 6.1 health tells life, readiness tells what is wrong", async () => {
  const house = new HttpHouse();
  assert.deepEqual((await house.ask("GET /healthz")).json, { alive: true, version: "1.2.3" });
  assert.equal((await house.ask("GET /readyz")).status, 200);
  house.broker.healthy = { ready: false, problems: ["shard 0 stopped"], shards: [] };
  const { status, json } = await house.ask("GET /readyz");
  assert.equal(status, 503);
  assert.deepEqual(json.problems, ["shard 0 stopped"]);
});

test("HTTP 6.2 metrics count requests by route, method and status", async () => {
  const house = await openHouse();
  await house.ask("POST /v1/topics/orders/messages", { body: "x" });
  await house.ask("POST /v1/topics/nowhere/messages", { body: "x" });
  const text: string = (await house.ask("GET /metrics")).json;
  const route = 'method="POST",route="/v1/topics/{topic}/messages"';
  assert.ok(text.includes(`curlew_http_requests_total{${route},status="200"} 1\n`));
  assert.ok(text.includes(`curlew_http_requests_total{${route},status="404"} 1\n`));
  assert.ok(text.includes(`curlew_http_request_seconds_count{${route}} 2\n`));
  assert.ok(text.includes("curlew_ready 1\n"));
});

test("HTTP 6.3 the address server tells the name servers", async () => {
  const house = new HttpHouse();
  const { json } = await house.ask("GET /rocketmq/nsaddr?nofix=1");
  assert.equal(json, "10.0.0.1:9876;10.0.0.2:9876");
});

test("HTTP 6.3 clients with a unit name are told the same, other names nothing", async () => {
  const house = new HttpHouse();
  const { json } = await house.ask("GET /rocketmq/nsaddr-UNIT?nofix=1");
  assert.equal(json, "10.0.0.1:9876;10.0.0.2:9876");
  for (const name of ["nsaddr-", "nsaddrs", "other"]) {
    assert.equal((await house.ask(`GET /rocketmq/${name}`)).status, 404, name);
  }
});

test("HTTP 6.4 the OpenAPI document and the page tell every route and every code", async () => {
  const house = new HttpHouse();
  const { json } = await house.ask("GET /openapi.json");
  assert.equal(json.openapi, "3.1.0");
  const page = await house.fetch("/docs");
  const html = await page.text();
  for (const { path, method, summary } of endpoints) {
    assert.equal(json.paths[path]?.[method]?.summary, summary, `${method} ${path}`);
    assert.ok(html.includes(`<code>${path}</code>`), path);
  }
  for (const code of Object.keys(errorCodes)) assert.ok(html.includes(`id="${code}"`), code);
  assert.ok(json.components.schemas.NewMessage.properties.bodyBase64);
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.ok(!/<script|https?:\/\/|style=/.test(html));
});

test("HTTP 6.5 every operation has a name of its own, for clients that are generated", async () => {
  const { json } = await new HttpHouse().ask("GET /openapi.json");
  const paths: Record<string, Record<string, { operationId: string }>> = json.paths;
  const names = Object.values(paths).flatMap((methods) => Object.values(methods))
    .map(({ operationId }) => operationId);
  assert.equal(names.length, endpoints.length);
  for (const name of names) assert.match(name, /^[a-z]+([A-Z][a-z]+)*$/);
  assert.deepEqual(names, [...new Set(names)]);
});

test("HTTP 6.6 the document says where a body is needed, and which headers there are", async () => {
  const { json } = await new HttpHouse().ask("GET /openapi.json");
  const post = (path: string) => json.paths[`/v1/topics/{topic}/${path}`].post;
  assert.equal(post("groups/{group}/ack").requestBody.required, true);
  assert.equal(post("groups/{group}/receive").requestBody.required, false);
  const headers: { name: string; in: string }[] = post("messages").parameters;
  const names = headers.filter((parameter) => parameter.in === "header").map(({ name }) => name);
  assert.ok(names.length > 5);
  for (const name of names) assert.match(name, /^[A-Za-z-]+$/);
  const together = Object.values(json.components.schemas).filter((schema) =>
    JSON.stringify(schema).includes('"allOf":[{"$ref"') &&
    JSON.stringify(schema).includes('"additionalProperties":false')
  );
  assert.deepEqual(together, [], "two closed objects at once allow nothing");
  const { oneOf } = json.components.schemas.NewMessage;
  assert.deepEqual(oneOf, [{ required: ["body"] }, { required: ["bodyBase64"] }]);
});

test("HTTP 7.1 every failure is a problem, also of routes and methods that are not", async () => {
  const house = new HttpHouse();
  const missing = await house.ask("GET /v1/nothing");
  assert.equal(missing.status, 404);
  assert.equal(missing.headers.get("content-type"), "application/problem+json");
  assert.deepEqual(Object.keys(missing.json), ["type", "title", "status", "detail", "code"]);
  const method = await house.ask("DELETE /v1/topics");
  assert.equal(method.status, 405);
  assert.equal(method.json.status, 405);
  assert.equal(method.headers.get("allow"), "GET, HEAD");
  assert.equal((await house.fetch("/healthz", { method: "HEAD" })).status, 200);
});

test("HTTP 7.2 a broken promise of the broker is told without its inside, and logged", async () => {
  const house = await openHouse();
  house.broker.send = () => Promise.reject(new Error("secret path /var/x"));
  const { status, json, headers } = await house.ask("POST /v1/topics/orders/messages", {
    body: "x",
  });
  assert.equal(status, 500);
  assert.ok(!JSON.stringify(json).includes("secret"));
  const logged = house.logged.find(({ event }) => event === "http_request_failed");
  assert.equal(logged?.fields["requestId"], headers.get("x-request-id"));
  assert.match(String(logged?.fields["error"]), /secret path/);
});

test("HTTP 8.1 a broker on loopback answers to its own names only", async () => {
  const house = new HttpHouse();
  for (const name of ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080"]) {
    assert.equal((await house.fetch(`http://${name}/healthz`)).status, 200, name);
  }
  for (const name of ["evil.example", "127.0.0.1.evil.example:8080", "localhost.evil.example"]) {
    const response = await house.fetch(`http://${name}/healthz`);
    assert.equal(response.status, 403, name);
    assert.equal((await response.json()).code, "no_permission");
  }
  const open = new HttpHouse({ hostNames: null });
  assert.equal((await open.fetch("http://broker.example/healthz")).status, 200);
});

test("HTTP 8.2 a page of another site cannot change anything", async () => {
  const house = await openHouse();
  const path = "POST /v1/topics/orders/messages";
  for (const origin of ["http://evil.example", "null", "http://127.0.0.1:9999"]) {
    assert.equal((await house.ask(path, { body: "x" }, { origin })).status, 403, origin);
  }
  const own = await house.ask(path, { body: "x" }, { origin: "http://127.0.0.1:8080" });
  assert.equal(own.status, 200);
  assert.equal(own.headers.get("access-control-allow-origin"), null);
});

test("HTTP 8.3 answers have a request id of their own and may not be sniffed", async () => {
  const house = new HttpHouse();
  const ids = new Set<string | null>();
  for (const line of ["GET /healthz", "GET /nothing", "PUT /healthz", "GET /v1/topics/none"]) {
    const { headers } = await house.ask(line);
    assert.equal(headers.get("x-content-type-options"), "nosniff", line);
    assert.equal(headers.get("cache-control"), "no-store", line);
    ids.add(headers.get("x-request-id"));
  }
  assert.equal(ids.size, 4);
});

test("HTTP 8.3 a change that succeeded answers its type alone, a failed one its id", async () => {
  const house = await openHouse();
  const send = "POST /v1/topics/orders/messages";
  const failed = await house.ask(send, { nobody: "x" });
  assert.ok(failed.headers.get("x-request-id"));
  assert.equal(failed.headers.get("x-content-type-options"), "nosniff");
  const { headers } = await house.ask(send, { body: "x" });
  assert.deepEqual([...headers.keys()], ["content-type"]);
});
