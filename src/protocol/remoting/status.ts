/** What a failure is called in remoting responses. @module */
// deno-lint-ignore-file camelcase -- the error codes are the words operators read in logs
import type { ErrorCode } from "../../model/error_codes.ts";
import { responseCodes } from "./codes.ts";

/**
 * Failure → response code. A handler may know better; this is for all the others. Clients send
 * again on 1, 2, 14, 16, 17, and must never be told 10, 11 or 12, which they take for "stored".
 */
export const statusOf: Readonly<Record<ErrorCode, number>> = {
  invalid_argument: responseCodes.invalidParameter,
  unauthenticated: responseCodes.noPermission,
  no_permission: responseCodes.noPermission,
  topic_not_found: responseCodes.topicNotExist,
  topic_exists: responseCodes.topicExistAlready,
  group_not_found: responseCodes.subscriptionGroupNotExist,
  group_exists: responseCodes.systemError,
  queue_not_found: responseCodes.invalidParameter,
  message_not_found: responseCodes.queryNotFound,
  offset_not_found: responseCodes.queryNotFound,
  message_too_large: responseCodes.messageIllegal,
  receipt_invalid: responseCodes.invalidParameter,
  receipt_expired: responseCodes.noMessage,
  filter_invalid: responseCodes.subscriptionParseFailed,
  conflict: responseCodes.illegalOperation,
  not_supported: responseCodes.requestCodeNotSupported,
  limit_exceeded: responseCodes.flowControl,
  too_busy: responseCodes.systemBusy,
  disk_full: responseCodes.serviceNotAvailable,
  storage_failed: responseCodes.serviceNotAvailable,
  storage_damaged: responseCodes.systemError,
  shutting_down: responseCodes.serviceNotAvailable,
  timeout: responseCodes.systemBusy,
  internal: responseCodes.systemError,
};
