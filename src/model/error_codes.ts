/**
 * Every way a request can fail, in one closed table. Protocols map these codes to their own
 * numbers; the compiler insists that each of their tables is complete.
 *
 * @module
 */

/** `retriable`: the same request may succeed later without being changed. */
export type ErrorKind = { readonly retriable: boolean; readonly sentence: string };

/** Code → what it means. The sentence is the fallback when a place has nothing better to say. */
export const errorCodes = {
  invalid_argument: { retriable: false, sentence: "The request is not valid" },
  unauthenticated: { retriable: false, sentence: "The caller did not prove who it is" },
  no_permission: { retriable: false, sentence: "The caller may not do this" },
  topic_not_found: { retriable: false, sentence: "The topic does not exist" },
  topic_exists: { retriable: false, sentence: "The topic exists with other settings" },
  group_not_found: { retriable: false, sentence: "The group does not exist" },
  group_exists: { retriable: false, sentence: "The group exists with other settings" },
  queue_not_found: { retriable: false, sentence: "The topic has no such queue" },
  message_not_found: { retriable: false, sentence: "There is no such message" },
  offset_not_found: { retriable: false, sentence: "There is no such offset" },
  message_too_large: { retriable: false, sentence: "The message is larger than the limit" },
  receipt_invalid: { retriable: false, sentence: "The receipt was not issued to this group" },
  receipt_expired: { retriable: false, sentence: "The receipt's time is over" },
  filter_invalid: { retriable: false, sentence: "The subscription expression is not valid" },
  conflict: { retriable: false, sentence: "The request contradicts the present state" },
  not_supported: { retriable: false, sentence: "The broker does not offer this" },
  limit_exceeded: { retriable: false, sentence: "A limit of the broker is reached" },
  too_busy: { retriable: true, sentence: "The broker has more work than it accepts" },
  disk_full: { retriable: true, sentence: "The disk has no room for more messages" },
  storage_failed: {
    retriable: true,
    sentence: "The shard's storage failed and is being re-opened",
  },
  storage_damaged: { retriable: false, sentence: "Stored data does not match its checksum" },
  shutting_down: { retriable: true, sentence: "The broker is stopping" },
  timeout: { retriable: true, sentence: "The request took longer than its limit" },
  internal: { retriable: true, sentence: "The broker made a mistake; see its log" },
} as const satisfies Record<string, ErrorKind>;

/** A code of the table. */
export type ErrorCode = keyof typeof errorCodes;

/** Whether `text` is a code of the table. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
