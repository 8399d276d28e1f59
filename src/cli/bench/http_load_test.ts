import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { pushFromLine } from "../../../tests/support/line_memory.ts";
import { HttpAnswerReader, httpRequest } from "./http_load.ts";

const answers = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" +
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain" +
    "HTTP/1.1 204 No Content\r\nx: y\r\n\r\n" +
    "HTTP/1.1 429 Too Many\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" +
    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
);

test("HttpAnswerReader reads lengths, chunks and empty bodies wherever the bytes are cut", () => {
  for (let cut = 0; cut <= answers.length; cut++) {
    const heard: string[] = [];
    const reader = new HttpAnswerReader(({ status, body }) => heard.push(`${status} ${body}`));
    pushFromLine(reader, answers.subarray(0, cut));
    pushFromLine(reader, answers.subarray(cut));
    assert.deepEqual(
      heard,
      ["200 hello", "200 again", "204 ", "429 abcde", "200 "],
      `cut at ${cut}`,
    );
  }
});

test("HttpAnswerReader refuses what is not HTTP", () => {
  const reader = new HttpAnswerReader(() => {});

  assert.throws(() => reader.push(Buffer.from("nonsense\r\n\r\n")), /no HTTP answer/);
});

test("httpRequest() counts bytes, not letters", () => {
  const request = httpRequest({ host: "h", port: 1 }, "POST", "/p", '"ü"').toString("utf8");

  assert.match(request, /^POST \/p HTTP\/1\.1\r\nhost: h:1\r\n/);
  assert.match(request, /content-length: 4\r\n\r\n"ü"$/);
});
