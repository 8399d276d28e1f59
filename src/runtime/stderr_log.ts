/** Log records as JSON lines on standard error, from any thread. @module */
import { writeSync } from "node:fs";
import { createLog, jsonLine, type Log, type LogLevel } from "../base/log.ts";
import { systemClock } from "./clock.ts";

const standardError = 2;

/**
 * A log on standard error. A line that cannot be written is lost: a log must not stop its speaker.
 */
export function stderrLog(levelMin: LogLevel): Log {
  return createLog({
    levelMin,
    wallMs: () => systemClock.wallMs(),
    sink: (record) => {
      try {
        writeSync(standardError, `${jsonLine(record)}\n`);
      } catch {
        // The reader of the log is gone, or slower than its pipe.
      }
    },
  });
}
