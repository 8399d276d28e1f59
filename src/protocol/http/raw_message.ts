/**
 * One message whose body is the request's body, bytes as they are; the rest stands in headers.
 *
 *     Curlew-Tag, Curlew-Sharding-Key, Curlew-Queue, Curlew-Message-Id, Curlew-Ttl-Ms
 *     Curlew-Deliver-At-Ms, Curlew-Delay-Ms, Curlew-Timer-Key
 *     Curlew-Keys             words, parted by blanks
 *     Curlew-Property-<name>  names arrive in lower case: HTTP does not keep their case
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import type { HeaderReader } from "../../ports/http.ts";
import { type Addressed, addressed, isPropertyName, isShardingKey } from "./message_in.ts";
import type { MessageFields, Origin } from "./message_in.ts";
import { isKey, isMessageId, isPropertyText, isQueueId, isTag, isTtlMs } from "./message_rules.ts";
import { readTimingHeader, timingHeaders, timingHeaderShape } from "./timing_fields.ts";

const prefix = "curlew-";
const propertyPrefix = "curlew-property-";

/** The headers, as the OpenAPI document tells them: it cannot name those of properties. */
export const rawHeadersSchema = z.object({
  "Curlew-Tag": z.string().optional(),
  "Curlew-Keys": z.string().optional().openapi({ description: "Words parted by blanks." }),
  "Curlew-Sharding-Key": z.string().optional(),
  "Curlew-Queue": z.string().optional().openapi({ description: "The number of the queue." }),
  "Curlew-Message-Id": z.string().optional(),
  "Curlew-Ttl-Ms": z.string().optional()
    .openapi({ description: "Time to live in milliseconds, from when the message is stored." }),
  ...timingHeaderShape,
});

/** The message of a raw request. @throws {BrokerError} `invalid_argument`, `message_too_large`. */
export function rawMessage(body: Uint8Array, headers: Headers, origin: Origin): Addressed {
  const fields: MessageFields = {};
  const properties: [string, string][] = [];
  for (const [name, value] of headers) {
    if (!name.startsWith(prefix)) continue;
    // Headers carry bytes without saying which characters they mean.
    // deno-lint-ignore no-control-regex -- everything beyond ASCII is what is looked for
    if (/[^\u0000-\u007f]/.test(value)) {
      throw refuse(name, "only ASCII is taken; send JSON instead");
    }
    if (name.startsWith(propertyPrefix)) {
      const property = name.slice(propertyPrefix.length);
      if (!isPropertyName(property) || !isPropertyText(value)) {
        throw refuse(name, "the name is reserved or empty, or the value is empty");
      }
      properties.push([property, value]);
    } else setField(fields, name, value);
  }
  if (properties.length > 0) fields.properties = properties;
  return addressed(body, fields, origin);
}

const fieldNames = ["tag", "keys", "queue", "sharding-key", "message-id", "ttl-ms"];
const fieldHeaders = [...fieldNames.map((name) => prefix + name), ...timingHeaders];

/**
 * Refuses the headers of raw bodies where messages carry their own fields. Only those that stand
 * for a field are asked for: on Bun, going through all headers costs more than the rest of a small
 * send.
 *
 * @throws {BrokerError} `invalid_argument`.
 */
export function refuseRawHeaders(headers: HeaderReader): void {
  for (const name of fieldHeaders) {
    if (headers.has(name)) throw refuse(name, "it goes with raw bodies; JSON has fields");
  }
}

function setField(fields: MessageFields, name: string, value: string): void {
  switch (name) {
    case "curlew-tag":
      if (!isTag(value)) throw refuse(name, "it has to be a word without blanks and |");
      fields.tag = value;
      return;
    case "curlew-keys": {
      const keys = value.split(" ").filter((key) => key !== "");
      if (!keys.every(isKey) || keys.length > limits.keysPerMessageMax) {
        throw refuse(name, `it has to be at most ${limits.keysPerMessageMax} words`);
      }
      fields.keys = keys;
      return;
    }
    case "curlew-sharding-key":
      if (!isShardingKey(value)) throw refuse(name, "it is empty or too long");
      fields.shardingKey = value;
      return;
    case "curlew-queue":
      if (!/^\d+$/.test(value) || !isQueueId(Number(value))) {
        throw refuse(name, "it has to be the number of a queue");
      }
      fields.queueId = Number(value);
      return;
    case "curlew-message-id":
      if (!isMessageId(value)) throw refuse(name, "it has to be a word of 1 to 255 letters");
      fields.messageId = value;
      return;
    case "curlew-ttl-ms":
      if (!/^\d+$/.test(value) || !isTtlMs(Number(value))) {
        throw refuse(name, "it has to be whole milliseconds from 1 up");
      }
      fields.ttlMs = Number(value);
      return;
    default: {
      const kept = readTimingHeader(fields, name, value);
      if (kept !== true) throw refuse(name, kept || "it is not known here");
    }
  }
}

function refuse(name: string, why: string): BrokerError {
  return new BrokerError("invalid_argument", `Cannot read header ${name.slice(0, 200)}: ${why}`);
}
