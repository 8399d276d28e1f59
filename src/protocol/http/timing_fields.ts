/**
 * When a message becomes visible, as HTTP users write it: `deliverAtMs`, `delayMs` and `timerKey`
 * in JSON, `Curlew-Deliver-At-Ms`, `Curlew-Delay-Ms` and `Curlew-Timer-Key` beside a raw body.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { limits } from "../../base/limits.ts";
import type { Timing } from "../../model/message.ts";
import { isPropertyText } from "./message_rules.ts";

/** The fields of a message that make it a timer. */
export type TimingFields = { deliverAtMs?: number; delayMs?: number; timerKey?: string };

/** What a field has to be; the sentence of its refusal. */
const wanted = {
  deliverAtMs: "it has to be whole milliseconds since 1970",
  delayMs: "it has to be whole milliseconds from 0 up",
  timerKey: `it has to be 1 to ${limits.keyLengthMax} characters`,
} as const;

/** The header that stands for each field. */
const headerOf: Readonly<Record<string, keyof TimingFields>> = {
  "curlew-deliver-at-ms": "deliverAtMs",
  "curlew-delay-ms": "delayMs",
  "curlew-timer-key": "timerKey",
};

/** The names of those headers. */
export const timingHeaders: readonly string[] = Object.keys(headerOf);

const timeField = (description: string) =>
  z.number().int().min(0).optional().openapi({ description });

/** The fields as the document describes them. */
export const timingShape = {
  deliverAtMs: timeField("When it becomes visible. In the past means now; not with `delayMs`."),
  delayMs: timeField("How long from now it becomes visible, by the broker's clock."),
  timerKey: z.string().min(1).max(limits.keyLengthMax).refine(isTimerKey, "text that can be stored")
    .optional().openapi({
      description: "Your name for the timer. At most one pending timer of the topic has it: a " +
        "later one takes its place. It chooses the queue, so it excludes `queueId`.",
    }),
};

/** The headers as the document describes them. */
export const timingHeaderShape = {
  "Curlew-Deliver-At-Ms": z.string().optional().openapi({ description: "As `deliverAtMs`." }),
  "Curlew-Delay-Ms": z.string().optional().openapi({ description: "As `delayMs`." }),
  "Curlew-Timer-Key": z.string().optional().openapi({ description: "As `timerKey`." }),
};

/** A timer's key: any text that is not empty. */
export function isTimerKey(text: string): boolean {
  return text.length <= limits.keyLengthMax && isPropertyText(text);
}

/**
 * Keeps a field of a message if it is one of these. Answers why it cannot be, `false` when it is
 * another field, `true` when it was kept.
 */
export function readTimingField(
  fields: TimingFields,
  name: string,
  found: unknown,
): boolean | string {
  if (name === "timerKey") {
    if (typeof found !== "string" || !isTimerKey(found)) return wanted.timerKey;
    fields.timerKey = found;
    return true;
  }
  if (name !== "deliverAtMs" && name !== "delayMs") return false;
  if (typeof found !== "number" || !Number.isSafeInteger(found) || found < 0) return wanted[name];
  fields[name] = found;
  return true;
}

/** The same for a header. */
export function readTimingHeader(
  fields: TimingFields,
  header: string,
  value: string,
): boolean | string {
  const name = headerOf[header];
  if (name === undefined) return false;
  const found = name === "timerKey" ? value : /^\d{1,16}$/.test(value) ? Number(value) : NaN;
  return readTimingField(fields, name, found);
}

/** The fields as the door takes them; `undefined` when the message is visible at once. */
export function timingOf(fields: TimingFields): Timing | undefined {
  const { deliverAtMs = null, delayMs = null, timerKey = null } = fields;
  if (deliverAtMs === null && delayMs === null && timerKey === null) return undefined;
  return { deliverAtMs, delayMs, timerKey };
}
