/**
 * The JSON form of a header:
 *
 *     {"code":0,"extFields":{"name":"text"},"flag":1,"language":"JAVA","opaque":7,"remark":"text",
 *      "serializeTypeCurrentRPC":"JSON","version":479}
 *
 * Read leniently, since clients differ: keys in any order, most may be absent, values of
 * `extFields` may be numbers, booleans or null. Written strictly: one client drops the whole frame
 * if `extFields` is missing or holds anything but text.
 *
 * @module
 */
import { textOf } from "../../base/bytes.ts";
import { WireError } from "../../model/errors.ts";
import type { ExtFields, RemotingCommand } from "./command.ts";

/**
 * Reads a JSON header.
 *
 * @throws {WireError} It is not JSON, has no code, or a value has the wrong kind.
 */
export function decodeJsonHeader(bytes: Uint8Array): RemotingCommand {
  const header = parseObject(textOf(bytes));
  const { language, remark } = header;
  return {
    code: intOf(header, "code", undefined),
    language: typeof language === "string" ? language : "OTHER",
    version: intOf(header, "version", 0),
    opaque: intOf(header, "opaque", 0),
    flag: intOf(header, "flag", 0),
    remark: typeof remark === "string" ? remark : undefined,
    extFields: extFieldsOf(header["extFields"]),
    serializer: "json",
  };
}

/** Writes a JSON header. Keys are in the order Java clients write them. */
export function jsonHeaderText(command: RemotingCommand): string {
  const language = command.language === "JAVA" ? '"JAVA"' : JSON.stringify(command.language);
  const remark = command.remark === undefined ? "" : `"remark":${JSON.stringify(command.remark)},`;
  return `{"code":${command.code},"extFields":${JSON.stringify(command.extFields)},` +
    `"flag":${command.flag},"language":${language},"opaque":${command.opaque},${remark}` +
    `"serializeTypeCurrentRPC":"JSON","version":${command.version}}`;
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // A RangeError, too: one runtime's parser recurses, and a peer can nest as deep as it likes.
    throw new WireError("Cannot read header: it is not JSON", { cause });
  }
  if (isObject(value)) return value;
  throw new WireError(`Cannot read header: it is JSON, but no object: ${text.slice(0, 50)}`);
}

function intOf(header: Record<string, unknown>, name: string, absent: number | undefined): number {
  const found = header[name];
  if (typeof found === "number" && found === (found | 0)) return found;
  if ((found === undefined || found === null) && absent !== undefined) return absent;
  if (typeof found === "string" && /^-?\d{1,10}$/.test(found)) {
    const value = Number(found);
    if (value === (value | 0)) return value;
  }
  throw new WireError(
    `Cannot read header: "${name}" is no int32 but ${shown(found)}`,
  );
}

/** The fields as they are, if all are text, as almost always; else with every value made text. */
function extFieldsOf(found: unknown): ExtFields {
  if (found === undefined || found === null) return {};
  if (!isObject(found)) {
    throw new WireError(`Cannot read header: "extFields" is no object but ${shown(found)}`);
  }
  for (const name in found) {
    if (typeof found[name] !== "string") return madeText(found);
  }
  return found as ExtFields;
}

function madeText(found: Record<string, unknown>): ExtFields {
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(found)) {
    if (value === null) continue;
    if (typeof value === "object") {
      throw new WireError(`Cannot read header: "${name.slice(0, 50)}" is no text but an object`);
    }
    entries.push([name, String(value)]);
  }
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 50)) : typeof value;
}
