/**
 * Structured log records. What is logged is an event's name and its fields; a sink, handed in, says
 * where records go, so that nothing here touches the world.
 *
 * Text from clients ends up in fields. It is shortened, and control characters are escaped, so that
 * no client can forge a line or move a terminal's cursor.
 *
 * @module
 */
import { limits } from "./limits.ts";

/** How loud, quietest first: the order is what `levelMin` compares by. */
export const logLevels = ["debug", "info", "warn", "error"] as const;

/** A level of `logLevels`. */
export type LogLevel = (typeof logLevels)[number];

/**
 * What a field may hold. An `Error` becomes its name, message and causes; bytes are not for logs.
 */
export type LogValue = string | number | boolean | bigint | null | undefined | Error;

/** Names and values that tell one event from another. Units end the names. */
export type LogFields = Readonly<Record<string, LogValue>>;

/** One event. `fields` are already made safe to print. */
export type LogRecord = {
  readonly wallMs: number;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
};

/** Takes a record to wherever records go. It must not throw, and must not wait. */
export type LogSink = (record: LogRecord) => void;

/** What a part is handed to speak with. */
export interface Log {
  /** For someone who looks into the broker: off unless asked for. */
  debug(event: string, fields?: LogFields): void;
  /** What an operator wants to know of a healthy broker. */
  info(event: string, fields?: LogFields): void;
  /** Something is wrong and the broker goes on. */
  warn(event: string, fields?: LogFields): void;
  /** Something is wrong and someone is not being served. */
  error(event: string, fields?: LogFields): void;
  /** A log that adds `fields` to every record; a record's own fields win. */
  child(fields: LogFields): Log;
  /** Whether records of this level go anywhere: asked before building costly fields. */
  enabled(level: LogLevel): boolean;
}

/** What a log is made of. `wallMs` is asked once a record. */
export type LogOptions = {
  readonly sink: LogSink;
  readonly wallMs: () => number;
  readonly levelMin?: LogLevel;
};

/** A log that hands its records to a sink. */
export function createLog(options: LogOptions): Log {
  return new SinkLog(options, {});
}

/** A log that says nothing: tests and benches of parts that would rather speak. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
  enabled: () => false,
};

class SinkLog implements Log {
  readonly #options: LogOptions;
  readonly #fields: LogFields;
  readonly #levelMin: number;

  constructor(options: LogOptions, fields: LogFields) {
    this.#options = options;
    this.#fields = fields;
    this.#levelMin = logLevels.indexOf(options.levelMin ?? "info");
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#write("debug", event, fields);
  }

  info(event: string, fields: LogFields = {}): void {
    this.#write("info", event, fields);
  }

  warn(event: string, fields: LogFields = {}): void {
    this.#write("warn", event, fields);
  }

  error(event: string, fields: LogFields = {}): void {
    this.#write("error", event, fields);
  }

  child(fields: LogFields): Log {
    return new SinkLog(this.#options, { ...this.#fields, ...fields });
  }

  enabled(level: LogLevel): boolean {
    return logLevels.indexOf(level) >= this.#levelMin;
  }

  #write(level: LogLevel, event: string, fields: LogFields): void {
    if (!this.enabled(level)) return;
    this.#options.sink({
      wallMs: this.#options.wallMs(),
      level,
      event: safeText(event),
      fields: safeFields({ ...this.#fields, ...fields }),
    });
  }
}

/** A record as one line of JSON, without the line's end. Fields cannot hide the four of its own. */
export function jsonLine(record: LogRecord): string {
  const { wallMs, level, event, fields } = record;
  return JSON.stringify({ ...fields, time: new Date(wallMs).toISOString(), level, event });
}

/** A record as one line for people. */
export function plainLine(record: LogRecord): string {
  const fields = Object.entries(record.fields).map(([name, value]) =>
    typeof value === "string" ? `${name}=${JSON.stringify(value)}` : `${name}=${value}`
  );
  const time = new Date(record.wallMs).toISOString();
  return [time, record.level.padEnd(5), record.event, ...fields].join(" ");
}

/**
 * Text of unknown origin, safe to print: control characters, line separators and the marks that
 * turn the direction of writing become escapes, and what is too long is cut with a mark.
 */
export function safeText(text: string): string {
  const cut = text.length > limits.logTextLengthMax
    ? `${text.slice(0, limits.logTextLengthMax)}… (${text.length} characters)`
    : text;
  return cut.replace(unprintable, escapeCharacter);
}

// deno-lint-ignore no-control-regex -- finding control characters is the point
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function safeFields(fields: LogFields): LogRecord["fields"] {
  const safe: Record<string, string | number | boolean | null> = {};
  let count = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (++count > limits.logFieldsMax) break;
    safe[safeText(name)] = safeValue(value);
  }
  return safe;
}

function safeValue(value: Exclude<LogValue, undefined>): string | number | boolean | null {
  if (typeof value === "string") return safeText(value);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return safeText(describeError(value));
  return value;
}

/** An error and what caused it, in one line: "StorageError: Cannot append (Error: disk full)". */
function describeError(error: Error, depth = 0): string {
  const own = `${error.name}: ${error.message}`;
  if (error.cause === undefined || depth >= 4) return own;
  const cause = error.cause instanceof Error
    ? describeError(error.cause, depth + 1)
    : String(error.cause);
  return `${own} (${cause})`;
}
