/** What is asked at an address that is known: as the first time, and no less guarded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpHouse } from "../../../tests/support/http_app.ts";

const path = "/v1/topics/a%2Db";

async function houseThatKnows(): Promise<HttpHouse> {
  const house = new HttpHouse();
  await house.broker.createTopic("a-b", {});
  for (let round = 0; round < 2; round++) {
    const sent = await house.ask(`POST ${path}/messages`, { body: "x" });
    assert.equal(sent.status, 200);
    assert.equal((await house.ask(`GET ${path}`)).json.name, "a-b");
  }
  return house;
}

test("a known address is answered as the first time, by method, and HEAD too", async () => {
  const house = await houseThatKnows();

  const head = await house.fetch(path, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  assert.equal((await house.ask(`GET ${path}`)).json.name, "a-b");
  assert.equal((await house.ask(`POST ${path}`)).status, 405);
  assert.equal((await house.ask(`POST ${path}/messages?x=1`, { body: "x" })).status, 400);
  await house.broker.deleteTopic("a-b");
  assert.equal((await house.ask(`GET ${path}`)).status, 404);
});

test("a known address is closed to foreign pages and under foreign names", async () => {
  const house = await houseThatKnows();

  const send = (url: string, origin?: string) =>
    house.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...(origin && { origin }) },
      body: '{"body":"x"}',
    });
  assert.equal((await send(`${path}/messages`, "http://evil.example")).status, 403);
  assert.equal((await send(`http://evil.example:8080${path}/messages`)).status, 403);
  assert.equal((await send(`${path}/messages`, "http://127.0.0.1:8080")).status, 200);
});
