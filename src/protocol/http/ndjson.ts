/**
 * Many messages in one request, one JSON object a line, stored while they arrive.
 *
 * Lines are gathered into batches within two bounds and each batch is sent when it is full, before
 * the next is read: order is kept, and a fast sender waits for the disk. When a line is bad, the
 * lines before it are still sent, and the refusal names the line and carries their receipts; so it
 * does when a batch is refused. A caller goes on after the last receipt.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import type { SendReceipt } from "../../model/message.ts";
import type { RequestInfo } from "../../ports/http.ts";
import { parseJson } from "./body.ts";
import type { Exchange, HttpContext } from "./exchange.ts";
import { type Addressed, type Origin, readMessage } from "./message_in.ts";
import { failureOf, ProblemError } from "./problem.ts";
import { receiptJson, sendAll } from "./send_batches.ts";

/**
 * Sends every line.
 *
 * @throws {ProblemError} A line or a batch was refused: `line`, counted from 1, is the first one
 *   that may not be stored, and `receipts` are those of the messages before it.
 */
export async function sendLines(
  { context, info, params }: Exchange,
  body: ReadableStream<Uint8Array>,
  origin: Origin,
): Promise<SendReceipt[]> {
  const batch = new LineBatch(context, params["topic"] ?? "");
  let line = 0;
  try {
    for await (const text of linesOf(body, info)) {
      checkCount(++line);
      if (text.trim() === "") continue;
      await batch.add(readMessage(parseJson(text), "", origin), line);
    }
  } catch (thrown) {
    if (thrown instanceof BatchRefused) throw thrown.problem;
    // The body ended badly between two lines: the line after the last good one is to blame.
    const at = thrown instanceof BodyFault ? line + 1 : line;
    await batch.flush().catch((refused: unknown) => {
      throw refused instanceof BatchRefused ? refused.problem : refused;
    });
    throw batch.refusal(thrown instanceof BodyFault ? thrown.error : thrown, at);
  }
  try {
    await batch.flush();
  } catch (thrown) {
    throw thrown instanceof BatchRefused ? thrown.problem : thrown;
  }
  return batch.receipts;
}

/** Empty lines count too: a compressed body holds a thousand of them in a byte. */
function checkCount(line: number): void {
  if (line <= limits.ndjsonMessagesMax) return;
  throw new BrokerError(
    "limit_exceeded",
    `Cannot send more than ${limits.ndjsonMessagesMax} lines in one request`,
  );
}

class BatchRefused extends Error {
  readonly problem: ProblemError;

  constructor(problem: ProblemError) {
    super(problem.message, { cause: problem });
    this.problem = problem;
  }
}

/** The bytes could not be made into lines. */
class BodyFault extends Error {
  readonly error: BrokerError;

  constructor(error: BrokerError) {
    super(error.message, { cause: error });
    this.error = error;
  }
}

class LineBatch {
  readonly receipts: SendReceipt[] = [];
  readonly #context: HttpContext;
  readonly #topic: string;
  #waiting: Addressed[] = [];
  #waitingBytes = 0;
  #firstLine = 0;

  constructor(context: HttpContext, topic: string) {
    this.#context = context;
    this.#topic = topic;
  }

  async add(message: Addressed, line: number): Promise<void> {
    if (this.#waiting.length === 0) this.#firstLine = line;
    this.#waiting.push(message);
    this.#waitingBytes += message.message.body.length;
    const isFull = this.#waiting.length >= limits.batchMessagesMax ||
      this.#waitingBytes >= limits.ndjsonBatchBytesMax;
    if (isFull) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const messages = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      this.receipts.push(...await sendAll(this.#context, this.#topic, messages));
    } catch (thrown) {
      throw new BatchRefused(this.#batchRefusal(thrown));
    }
  }

  /** What is told when a line is bad and everything before it is stored. */
  refusal(thrown: unknown, line: number): ProblemError {
    const error = failureOf(thrown);
    const receipts = this.receipts.map(receiptJson);
    const before = receipts.length === 1 ? "message before it is" : "messages before it are";
    const message = `Cannot send line ${line}: ${error.message}; ` +
      `${receipts.length} ${before} stored`;
    return new ProblemError(error.code, message, { line, receipts }, { cause: thrown });
  }

  /** The same for a batch of which some parts may be stored: their receipts follow, with gaps. */
  #batchRefusal(thrown: unknown): ProblemError {
    const error = failureOf(thrown);
    const ofBatch = error instanceof ProblemError ? error.facts["receipts"] : undefined;
    const before = this.receipts.map(receiptJson);
    const receipts = Array.isArray(ofBatch) ? [...before, ...ofBatch] : before;
    const message = `Cannot send the lines from ${this.#firstLine} on: ${error.message}`;
    const facts = { line: this.#firstLine, receipts };
    const own = error instanceof ProblemError ? error.facts : {};
    return new ProblemError(error.code, message, { ...own, ...facts }, { cause: thrown });
  }
}

async function* linesOf(
  body: ReadableStream<Uint8Array>,
  info: RequestInfo,
): AsyncGenerator<string> {
  const lines = body
    .pipeThrough(boundedLines(info))
    .pipeThrough(new TextDecoderStream("utf-8", { fatal: true }) as StrictDecoder)
    .pipeThrough(new TextLineStream());
  const reader = lines.getReader();
  try {
    while (true) {
      const { value, done } = await read(reader);
      if (done) return;
      yield value;
    }
  } finally {
    // Whatever ended the loop, nothing more of the body is wanted. After a fault of the stream this
    // repeats the fault, which was told already.
    await reader.cancel().catch(() => {});
  }
}

type StrictDecoder = ReadableWritablePair<string, Uint8Array>;

async function read(
  reader: ReadableStreamDefaultReader<string>,
): Promise<ReadableStreamReadResult<string>> {
  try {
    return await reader.read();
  } catch (thrown) {
    if (thrown instanceof BrokerError) throw new BodyFault(thrown);
    const why = thrown instanceof TypeError ? "it is not valid UTF-8" : "the connection ended";
    throw new BodyFault(
      new BrokerError("invalid_argument", `Cannot read the body: ${why}`, { cause: thrown }),
    );
  }
}

/** Passes bytes on and counts those since the last line's end. Each piece must come in time. */
function boundedLines(info: RequestInfo): TransformStream<Uint8Array, Uint8Array> {
  const newline = 10;
  let lineBytes = 0;
  info.bodyWithin(limits.httpBodyMsMax);
  return new TransformStream({
    flush: () => info.bodyWithin(0),
    transform(chunk, controller) {
      info.bodyWithin(limits.httpBodyMsMax);
      const first = chunk.indexOf(newline);
      lineBytes += first === -1 ? chunk.length : first;
      if (lineBytes > limits.lineBytesMax) {
        const bound = limits.lineBytesMax;
        throw new BrokerError(
          "message_too_large",
          `Cannot read a line longer than ${bound} bytes`,
        );
      }
      if (first !== -1) lineBytes = chunk.length - 1 - chunk.lastIndexOf(newline);
      controller.enqueue(chunk);
    },
  });
}
