/**
 * Failures as HTTP tells them: `application/problem+json` (RFC 9457).
 *
 *     { "type": "/docs#topic_not_found", "title": "The topic does not exist", "status": 404,
 *       "detail": "Cannot send to …", "code": "topic_not_found", …what else the place knows }
 *
 * @module
 */
import { type ErrorCode, errorCodes } from "../../model/error_codes.ts";
import { asBrokerError, BrokerError, WireError } from "../../model/errors.ts";
import type { Answer } from "./answer.ts";
import { statusOfCode } from "./status.ts";

/** What a place knows beyond the sentence: `receipts`, `line`, `minOffset`, `suggestion`, … */
export type ProblemFacts = Readonly<Record<string, unknown>>;

/** The members every problem has. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
};

/** What HTTP says of a failure beyond the table of its codes. */
export type ProblemOptions = ErrorOptions & {
  /** Where HTTP has a closer word than the table. */
  readonly status?: number;
  readonly headers?: readonly [string, string][];
};

/** A failure with facts a program can use. */
export class ProblemError extends BrokerError {
  override readonly name = "ProblemError";
  readonly facts: ProblemFacts;
  readonly status: number;
  readonly headers: readonly [string, string][];

  constructor(code: ErrorCode, message: string, facts: ProblemFacts, options?: ProblemOptions) {
    super(code, message, options);
    this.facts = facts;
    this.status = options?.status ?? statusOfCode[code];
    this.headers = options?.headers ?? [];
  }
}

/**
 * Anything thrown, as a failure a caller can be told. Damaged records are not the caller's fault.
 */
export function failureOf(thrown: unknown): BrokerError {
  if (thrown instanceof WireError) {
    return new BrokerError("storage_damaged", thrown.message, { cause: thrown });
  }
  return asBrokerError(thrown);
}

/** A failure as the members of its problem, with what else is known. */
export function problemOf(error: BrokerError, facts: ProblemFacts = {}): Problem & ProblemFacts {
  const own = error instanceof ProblemError ? error.facts : {};
  return {
    type: `/docs#${error.code}`,
    title: errorCodes[error.code].sentence,
    status: statusOf(error),
    detail: error.message,
    code: error.code,
    ...own,
    ...facts,
  };
}

/** A failure as an answer. `status` overrides the table where HTTP has a closer word (405). */
export function problemAnswer(
  error: BrokerError,
  facts: ProblemFacts = {},
  status = statusOf(error),
): Answer {
  const body = JSON.stringify({ ...problemOf(error, facts), status });
  const own = error instanceof ProblemError ? error.headers : [];
  const headers: readonly [string, string][] = errorCodes[error.code].retriable && status !== 500
    ? [["retry-after", "1"], ...own]
    : own;
  return { status, contentType: "application/problem+json", body, headers };
}

function statusOf(error: BrokerError): number {
  return error instanceof ProblemError ? error.status : statusOfCode[error.code];
}
