/**
 * Bodies in JSON. Clients leave fields out, and write numbers as text: what can be understood is.
 *
 * @module
 */
import { textOf, utf8 } from "../../../base/bytes.ts";
import { WireError } from "../../../model/errors.ts";

/** An object of a body. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a body that must be an object.
 *
 * @throws {WireError} It is none.
 */
export function readBody(body: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(textOf(body));
  } catch (cause) {
    throw new WireError("Cannot read body: it is not JSON", { cause });
  }
  if (isObject(value)) return value;
  throw new WireError("Cannot read body: it is JSON, but no object");
}

/** A value as a body. */
export function jsonBody(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}

/** Whether a value is an object, and neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field as text; `absent` if it is not there. */
export function textField(object: JsonObject, name: string, absent: string): string {
  const value = object[name];
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : absent;
}

/** A field that must be text and not empty. @throws {WireError} */
export function requiredText(object: JsonObject, name: string): string {
  const value = textField(object, name, "");
  if (value === "") throw new WireError(`Cannot read body: "${name}" is absent`);
  return value;
}

/** A field as a number, also if it is written as text; `absent` if it is not there or none. */
export function numberField(object: JsonObject, name: string, absent: number): number {
  const value = object[name];
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : absent;
}

/** A field as a truth value; `absent` if it is not there. */
export function boolField(object: JsonObject, name: string, absent: boolean): boolean {
  const value = object[name];
  if (typeof value === "boolean") return value;
  return value === "true" ? true : value === "false" ? false : absent;
}

/**
 * The objects of a list; empty if it is not there.
 *
 * @throws {WireError} It has more than `countMax`.
 */
export function objectsField(object: JsonObject, name: string, countMax: number): JsonObject[] {
  const value = object[name];
  if (!Array.isArray(value)) return [];
  if (value.length > countMax) {
    throw new WireError(
      `Cannot read body: "${name}" has ${value.length} entries, at most ${countMax} are allowed`,
    );
  }
  return value.filter(isObject);
}
