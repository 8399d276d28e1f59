/** Why a command could not do its work, and what to try next. @module */
import { exitCodes } from "./command.ts";

/** The command line is wrong. `hint` is the next thing to try. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The broker said no. `code` is the broker's own word for it. Exit code 1. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly code: string;
  readonly retriable: boolean;

  constructor(code: string, message: string, retriable: boolean) {
    super(message);
    this.code = code;
    this.retriable = retriable;
  }
}

/**
 * No broker answered. `reached` says whether the request may have arrived: then its outcome is
 * unknown. Exit code 3.
 */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
  readonly reached: boolean;
  /** The next thing to try, when it is not to start a broker. */
  readonly hint: string | undefined;

  constructor(message: string, reached: boolean, options?: ErrorOptions & { hint?: string }) {
    super(message, options);
    this.reached = reached;
    this.hint = options?.hint;
  }
}

/** How a failure is told: the sentence, what to try, and the exit code. */
export type Explanation = {
  readonly sentence: string;
  readonly hint?: string;
  readonly code: string;
  readonly exitCode: number;
};

/** Says what went wrong. `undefined`: a bug, to be shown with its stack. */
export function explain(thrown: unknown): Explanation | undefined {
  if (thrown instanceof UsageError) {
    const { message: sentence, hint } = thrown;
    return { sentence, ...(hint && { hint }), code: "usage", exitCode: exitCodes.usage };
  }
  if (thrown instanceof RefusedError) {
    const hint = hintOf(thrown.code);
    const { message: sentence, code } = thrown;
    return { sentence, ...(hint && { hint }), code, exitCode: exitCodes.refused };
  }
  if (thrown instanceof UnreachableError) {
    return {
      sentence: thrown.message,
      hint: thrown.hint ??
        "Start one with `curlew serve`, or name another with --url or CURLEW_URL",
      code: "unreachable",
      exitCode: exitCodes.unreachable,
    };
  }
  return undefined;
}

/** The next command for the refusals a user can do something about. */
const hints: Readonly<Record<string, string>> = {
  "topic_not_found": "`curlew topic list` shows what exists; `curlew topic create NAME` makes one",
  "group_not_found": "`curlew group list` shows what exists; `curlew group create NAME` makes one",
  "topic_exists":
    "`curlew topic show NAME` shows its settings, `curlew topic change NAME` alters them",
  "group_exists":
    "`curlew group show NAME` shows its settings, `curlew group change NAME` alters them",
  "queue_not_found": "`curlew topic show NAME` says how many queues the topic has",
  "receipt_expired": "Receive again with a longer --invisible-ms, or acknowledge sooner",
  "disk_full": "Consumption goes on; make room, and sending resumes by itself",
  "unauthenticated": "Give credentials with --token or CURLEW_TOKEN",
};

function hintOf(code: string): string | undefined {
  return Object.hasOwn(hints, code) ? hints[code] : undefined;
}
