/**
 * Messages that must not be visible at once, and which the broker cannot keep back yet: they are
 * refused, since to deliver them now would be wrong and to lose them worse.
 *
 * @module
 */
import { propertyNames, readProperty } from "../../../model/properties.ts";

/** Bit of `sysFlag` that says "half message", and the mask of the bits that mean transactions. */
const preparedFlag = 0x4;
const transactionMask = 0xc;

const timers: readonly string[] = [
  propertyNames.timerDelaySeconds,
  propertyNames.timerDelayMs,
  propertyNames.timerDeliverMs,
];

/** Why a message with these properties cannot be stored; `undefined`: it can. */
export function refusedSchedule(properties: string, sysFlag: number): string | undefined {
  const isHalf = (sysFlag & transactionMask) === preparedFlag ||
    readProperty(properties, propertyNames.transactionPrepared) === "true";
  if (isHalf) {
    return "Cannot send a transaction's half message: transactions are not supported yet";
  }
  const level = readProperty(properties, propertyNames.delayLevel);
  if (level !== undefined && Number(level) !== 0) {
    return `Cannot send a message with delay level ${level.slice(0, 20)}: ` +
      "delayed messages are not supported yet";
  }
  // The three names begin alike, and nearly no message has one: one search rules out all.
  if (!properties.includes("TIMER_DE")) return undefined;
  const timer = timers.find((name) => readProperty(properties, name) !== undefined);
  if (timer === undefined) return undefined;
  return `Cannot send a message with ${timer}: timed messages are not supported yet`;
}
