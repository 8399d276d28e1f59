/** Short ways to ask a broker over HTTP, for tests that drive real processes. @module */

const requestTimeoutMs = 10_000;

/** An answer whose JSON was read. */
export type ApiAnswer = {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- tests reach into answers, and fail where they are not so
  readonly json: any;
};

/** A message as `receive` and the queue's reader hand it out, as far as tests look into it. */
export type ReadMessage = {
  readonly messageId: string;
  readonly queueId: number;
  readonly offset: number;
  readonly storedMs: number;
  readonly body?: string;
  readonly receipt?: string;
};

/** Asks with JSON. Rejects when nobody answers in time. */
export async function ask(
  base: string,
  line: string,
  body?: unknown,
  timeoutMs: number = requestTimeoutMs,
): Promise<ApiAnswer> {
  const [method = "", path = ""] = line.split(" ");
  const signal = AbortSignal.timeout(timeoutMs);
  const headers = { "content-type": "application/json" };
  const init = body === undefined
    ? { method, signal }
    : { method, signal, headers, body: JSON.stringify(body) };
  const response = await fetch(base + path, init);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  return { status: response.status, json: isJson ? JSON.parse(text) : text };
}

/** Asks, and takes nothing but a good answer. */
export async function askWell(base: string, line: string, body?: unknown): Promise<ApiAnswer> {
  const answer = await ask(base, line, body);
  if (answer.status < 300) return answer;
  throw new Error(`${line} was answered ${answer.status}: ${JSON.stringify(answer.json)}`);
}

/** Every message of a queue, in order. */
export async function readQueue(
  base: string,
  topic: string,
  queueId: number,
): Promise<ReadMessage[]> {
  const found: ReadMessage[] = [];
  for (let offset = 0;;) {
    const path = `/v1/topics/${topic}/queues/${queueId}/messages?offset=${offset}&max=1000`;
    const { json } = await askWell(base, `GET ${path}`);
    found.push(...json.messages);
    if (json.nextOffset <= offset) return found;
    offset = json.nextOffset;
  }
}

/** The sum of a metric over its series. */
export async function metricSum(base: string, name: string): Promise<number> {
  const { json } = await askWell(base, "GET /metrics");
  const rows = String(json).split("\n").filter((row) => row.startsWith(`${name}{`));
  if (rows.length === 0) throw new Error(`/metrics does not tell ${name}`);
  return rows.reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(" ") + 1)), 0);
}
