/** The open HTTP API as a broker would answer it, in memory, with faults on request. @module */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request, as it came. */
export type SeenRequest = {
  readonly method: string;
  readonly url: string;
  readonly text: string;
  /** The body as JSON; `null` if there is none. */
  readonly json: Readonly<Record<string, unknown>> | null;
};

/** What to answer. `cut`: the connection is destroyed instead of answering. */
export type FakeAnswer = { readonly status: number; readonly json?: unknown } | "cut";

/** A listening server. */
export type FakeApi = {
  readonly url: string;
  readonly port: number;
  readonly seen: SeenRequest[];
  close(): Promise<void>;
};

/** Listens on a free port, or on `port`, and answers as `answer` says. */
export async function fakeApi(
  answer: (request: SeenRequest) => FakeAnswer | Promise<FakeAnswer>,
  port = 0,
): Promise<FakeApi> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const whole = await readRequest(request);
    seen.push(whole);
    reply(response, await answer(whole));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return {
    seen,
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readRequest(request: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString("utf8");
  const json = text === "" ? null : JSON.parse(text);
  return { method: request.method ?? "", url: request.url ?? "", text, json };
}

function reply(response: ServerResponse, answer: FakeAnswer): void {
  if (answer === "cut") {
    response.socket?.destroy();
    return;
  }
  const { status, json } = answer;
  const type = status >= 400 ? "application/problem+json" : "application/json";
  response.writeHead(status, { "content-type": type });
  response.end(json === undefined ? undefined : JSON.stringify(json));
}

/** A problem as the broker tells it. */
export function problem(status: number, code: string, detail: string): FakeAnswer {
  return { status, json: { type: `/docs#${code}`, title: code, status, detail, code } };
}

/** Receipts for every message of a send. */
export function receiptsFor(request: SeenRequest): FakeAnswer {
  const messages = request.json?.["messages"];
  const list = Array.isArray(messages) ? messages : [];
  const receipts = list.map(({ messageId }, offset) => {
    return { messageId, queueId: 0, offset, survived: "power-loss" };
  });
  return { status: 200, json: { receipts } };
}
