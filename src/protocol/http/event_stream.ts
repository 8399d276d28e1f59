/**
 * Server-sent events: text in blocks, one block or several a step. A step is taken only when the
 * connection has taken what came before, so a slow reader holds back its own reading and nothing
 * else. The stream ends when its source ends, fails, or the client goes away.
 *
 * @module
 */
import { utf8 } from "../../base/bytes.ts";
import { failureOf, problemOf } from "./problem.ts";

/** Where events come from. */
export type EventSource = {
  /** What goes out first, at once. */
  readonly first: string;
  /** The next blocks; waits for them, and says something within the heartbeat. `null`: the end. */
  next(): Promise<string | null>;
};

/**
 * One event. `data` is JSON, which has no line ends. `id` null: the reader's place is unchanged.
 */
export function eventText(kind: "message" | "gap" | "problem", data: string, id: string | null) {
  const name = kind === "message" ? "" : `event: ${kind}\n`;
  return `${name}${id === null ? "" : `id: ${id}\n`}data: ${data}\n\n`;
}

/** Moves the reader's place without an event. */
export function placeText(id: string): string {
  return `id: ${id}\n\n`;
}

/** Tells proxies and readers that the stream lives. */
export const heartbeatText = ": waiting\n\n";

/** The source as a body. `onEnd` is called once, whatever ends it. */
export function eventBody(source: EventSource, onEnd: () => void): ReadableStream<Uint8Array> {
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    onEnd();
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(utf8(source.first));
    },
    async pull(controller) {
      const { text, isLast } = await step(source);
      // After `cancel` the controller takes nothing any more.
      if (isOver) return;
      if (text !== "") controller.enqueue(utf8(text));
      if (!isLast) return;
      controller.close();
      end();
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

async function step(source: EventSource): Promise<{ text: string; isLast: boolean }> {
  try {
    const text = await source.next();
    return { text: text ?? "", isLast: text === null };
  } catch (thrown) {
    // The answer's head is gone; the failure becomes the last event.
    const problem = JSON.stringify(problemOf(failureOf(thrown)));
    return { text: eventText("problem", problem, null), isLast: true };
  }
}
