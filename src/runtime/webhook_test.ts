import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { test } from "node:test";
import { ManualClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { webhookWith } from "./webhook.ts";

const secret = "a secret of this test";

/** Serves on a free port while `work` runs. */
async function serving(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Uint8Array) => (body += new TextDecoder().decode(chunk)));
    request.on("end", () => answer(request, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(address !== null && typeof address === "object");
  try {
    await work(`http://127.0.0.1:${address.port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test("webhookWith() signs timestamp and body so that the receiver can check both", async () => {
  const clock = new ManualClock();
  await serving(({ headers, method }, body, response) => {
    const timestamp = headers["curlew-timestamp"];
    const mac = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
    const good = headers["curlew-signature"] === `sha256=${mac}` && method === "POST" &&
      timestamp === String(clock.wallMs()) && body === '{"a":1}';
    response.end(good ? "good" : "bad");
  }, async (url) => {
    const outcome = await webhookWith(secret, clock).post(`${url}/checks`, '{"a":1}');
    assert.deepEqual(outcome, { kind: "answered", status: 200, body: "good" });
  });
});

test("webhookWith() does not follow a redirect", async () => {
  const asked: string[] = [];
  await serving(({ url }, _body, response) => {
    asked.push(url ?? "");
    response.writeHead(307, { location: "/elsewhere" });
    response.end();
  }, async (url) => {
    const outcome = await webhookWith(secret, new ManualClock()).post(`${url}/checks`, "{}");
    assert.equal(outcome.kind === "answered" && outcome.status, 307);
  });
  assert.deepEqual(asked, ["/checks"]);
});

test("webhookWith() takes no answer beyond its bound", async () => {
  await serving((_request, _body, response) => {
    response.end("x".repeat(limits.webhookAnswerBytesMax + 1));
  }, async (url) => {
    const outcome = await webhookWith(secret, new ManualClock()).post(url, "{}");
    assert.equal(outcome.kind, "silent");
  });
});

test("webhookWith() says that nobody was asked where nobody listens", async () => {
  let gone = "";
  await serving((_request, _body, response) => response.end(), (url) => {
    gone = url;
    return Promise.resolve();
  });
  const outcome = await webhookWith(secret, new ManualClock()).post(gone, "{}");
  assert.equal(outcome.kind, "unreached");
});
