/**
 * Maps keyed by a queue, as several admin bodies have them:
 *
 *     {{"brokerName":"b","queueId":0,"topic":"T"}:value,...}
 *
 * That is no JSON, but it is what Java's clients write, and the only form they read.
 *
 * @module
 */
import { WireError } from "../../model/errors.ts";
import { JavaObject, type JavaValue, parseJavaJson } from "./java_json.ts";

/** A queue as clients name it. */
export type MessageQueue = {
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
};

/** A queue as text, its keys in the order Java sorts them. */
export function messageQueueText(queue: MessageQueue): string {
  return `{"brokerName":${JSON.stringify(queue.brokerName)},"queueId":${queue.queueId}` +
    `,"topic":${JSON.stringify(queue.topic)}}`;
}

/** A map from queues as text. Values must be fit for `JSON.stringify`. */
export function messageQueueMapText(
  entries: Iterable<readonly [MessageQueue, unknown]>,
): string {
  const texts: string[] = [];
  for (const [queue, value] of entries) {
    texts.push(`${messageQueueText(queue)}:${JSON.stringify(value)}`);
  }
  return `{${texts.join(",")}}`;
}

/**
 * Reads the map under `member` of a body, such as "offsetTable". Empty if the member is absent.
 *
 * @throws {WireError} The body or a key is not of that form.
 */
export function parseMessageQueueMap(text: string, member: string): [MessageQueue, JavaValue][] {
  const body = parseJavaJson(text);
  if (!(body instanceof JavaObject)) throw new WireError(`Cannot read "${member}": no object`);
  const map = body.get(member);
  if (map === undefined || map === null) return [];
  if (!(map instanceof JavaObject)) throw new WireError(`Cannot read "${member}": it is no map`);
  return map.entries.map(([key, value]) => [messageQueueOf(key, member), value]);
}

function messageQueueOf(key: string | JavaObject, member: string): MessageQueue {
  // Some writers quote the key as a whole.
  const object = typeof key === "string" ? parseJavaJson(key) : key;
  if (object instanceof JavaObject) {
    const [topic, brokerName] = [object.get("topic"), object.get("brokerName")];
    const queueId = Number(object.get("queueId") ?? 0);
    if (typeof topic === "string" && typeof brokerName === "string" && queueId === (queueId | 0)) {
      return { topic, brokerName, queueId };
    }
  }
  throw new WireError(`Cannot read "${member}": a key is no queue`);
}
