/** A setting's value: from what a source holds to what the broker is given. @module */
import { parseBytes, parseDuration } from "../base/quantities.ts";
import { type HostAndPort, rowOf, type SettingName } from "./schema.ts";

/** What a source can hold. Flags and the environment hold text only. */
export type RawValue = string | number | boolean;

/** What a setting can be. */
export type SettingValue = string | number | boolean | HostAndPort;

/** The value, or `undefined` if the row does not allow it. */
export function readValue(name: SettingName, raw: RawValue): SettingValue | undefined {
  switch (rowOf(name).kind) {
    case "text":
      return typeof raw === "string" ? readText(name, raw) : undefined;
    case "count":
      return within(name, typeof raw === "string" ? readCount(raw) : raw);
    case "durationMs":
      return within(name, typeof raw === "string" ? parseDuration(raw) : raw);
    case "bytes":
      return within(name, typeof raw === "string" ? parseBytes(raw) : raw);
    case "bool":
      return readBool(raw);
    case "address":
      return typeof raw === "string" ? readAddress(raw) : undefined;
  }
}

/** What the row allows, as the end of "…; allowed is". */
export function allowedOf(name: SettingName): string {
  const { kind, choices, pattern, min, max } = rowOf(name);
  const from = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  switch (kind) {
    case "text":
      return choices?.join(" or ") ?? pattern?.says ?? "any text";
    case "count":
      return `a whole number ${from}`;
    case "durationMs":
      return `milliseconds ${from}, or a time such as 90s, 10m, 72h, 7d`;
    case "bytes":
      return `bytes ${from}, or a size such as 512MiB, 10GB`;
    case "bool":
      return "true or false";
    case "address":
      return "host:port";
  }
}

function readText(name: SettingName, raw: string): string | undefined {
  const { choices, pattern } = rowOf(name);
  if (choices !== undefined && !choices.includes(raw)) return undefined;
  if (pattern !== undefined && !pattern.of.test(raw)) return undefined;
  return raw;
}

function within(name: SettingName, value: RawValue | undefined): number | undefined {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = rowOf(name);
  if (typeof value !== "number" || !Number.isSafeInteger(value)) return undefined;
  return value >= min && value <= max ? value : undefined;
}

function readCount(raw: string): number | undefined {
  return /^\d{1,15}$/.test(raw) ? Number(raw) : undefined;
}

function readBool(raw: RawValue): boolean | undefined {
  if (typeof raw === "boolean") return raw;
  if (raw === "true" || raw === "1") return true;
  if (raw === "false" || raw === "0") return false;
  return undefined;
}

/** `broker.example:9876`, `10.0.0.1:9876`, `[2001:db8::1]:9876`; `undefined` if it is none. */
export function readAddress(raw: string): HostAndPort | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(raw);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port };
}
