import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpHouse } from "../../../tests/support/http_app.ts";

test("the page tells the kind of every field", async () => {
  const house = new HttpHouse();
  const html = await (await house.fetch("/docs")).text();
  const unsaid = [...html.matchAll(/<code>(\w+)<\/code><\/td><td>(?:always|)<\/td><td><\/td>/g)];
  assert.deepEqual(unsaid.map(([, name]) => name), []);
  // A reference with words of its own is an `allOf` in the document.
  assert.match(html, /<a href="#schema-SendReceipt">SendReceipt<\/a><\/td><td>Of the message this/);
});
