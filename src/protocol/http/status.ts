/** Error code → HTTP status. The compiler insists that the table is complete. @module */
// deno-lint-ignore-file camelcase -- the codes are words that travel
import type { ErrorCode } from "../../model/error_codes.ts";

/** What each failure is in HTTP's words. */
export const statusOfCode: Readonly<Record<ErrorCode, number>> = {
  invalid_argument: 400,
  unauthenticated: 401,
  no_permission: 403,
  topic_not_found: 404,
  topic_exists: 409,
  group_not_found: 404,
  group_exists: 409,
  queue_not_found: 404,
  message_not_found: 404,
  offset_not_found: 404,
  message_too_large: 413,
  receipt_invalid: 400,
  receipt_expired: 409,
  filter_invalid: 400,
  conflict: 409,
  not_supported: 501,
  limit_exceeded: 422,
  too_busy: 429,
  disk_full: 507,
  storage_failed: 503,
  storage_damaged: 500,
  shutting_down: 503,
  timeout: 504,
  internal: 500,
};
