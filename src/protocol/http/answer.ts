/** What a handler answers, before it becomes a `Response`. @module */

/** `body` null: none. Headers beyond the type and those every answer has. */
export type Answer = {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string | ReadableStream<Uint8Array> | null;
  readonly headers?: readonly [string, string][];
};

/** A value as JSON. */
export function jsonAnswer(value: unknown, status = 200): Answer {
  return jsonTextAnswer(JSON.stringify(value), status);
}

/** JSON that is already text. */
export function jsonTextAnswer(body: string, status = 200): Answer {
  return { status, contentType: "application/json", body };
}

/** Plain text, as `contentType` says. */
export function textAnswer(body: string, contentType = "text/plain; charset=utf-8"): Answer {
  return { status: 200, contentType, body };
}

/** Done, and nothing to say. */
export const emptyAnswer: Answer = { status: 204, contentType: null, body: null };

/**
 * An answer as a `Response`. No answer may be kept by a cache or taken for another type than it
 * says; the request id is how a user and the log speak of the same request.
 */
export function responseOf(answer: Answer, requestId: string): Response {
  const headers: [string, string][] = [
    ["x-request-id", requestId],
    ["x-content-type-options", "nosniff"],
    ["cache-control", "no-store"],
  ];
  if (answer.contentType !== null) headers.push(["content-type", answer.contentType]);
  if (answer.headers) headers.push(...answer.headers);
  return new Response(answer.body, { status: answer.status, headers });
}
