/**
 * Numbers in filters. A `number` compares all but the long ids many systems keep in properties;
 * whole numbers beyond 2^53 are compared digit by digit.
 *
 * @module
 */
import { limits } from "../base/limits.ts";

/** A number as it is compared. `exact`: a whole number that `value` only comes near. */
export type SqlNumber = { readonly value: number; readonly exact: bigint | null };

// No part of it can match the same digits in two ways, so it runs in linear time.
const numberForm = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number a text stands for; `null` when it is none, too long or too large. */
export function sqlNumber(text: string): SqlNumber | null {
  if (text.length > limits.filterNumberLengthMax || !numberForm.test(text)) return null;
  const value = Number(text);
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return { value, exact: null };
  if (!Number.isFinite(value)) return null;
  return { value, exact: /[.eE]/.test(text) ? BigInt(value) : BigInt(text.replace("+", "")) };
}

/** Below 0, 0 or above 0, as `one` is smaller than, equal to or larger than `other`. */
export function compareNumbers(one: SqlNumber, other: SqlNumber): number {
  if (one.value !== other.value) return one.value < other.value ? -1 : 1;
  if (one.exact === null || other.exact === null || one.exact === other.exact) return 0;
  return one.exact < other.exact ? -1 : 1;
}
