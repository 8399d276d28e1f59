/**
 * What a table of fields is, and how to read and write headers by one.
 *
 * On the wire a header is a map from text to text (`extFields`). A table names every field once:
 * its name on the wire, the kind of value it carries, and whether a peer may leave it out. A new
 * header is described in `fields.ts`; no code is written for it.
 *
 * @module
 */
import { WireError } from "../../model/errors.ts";
import type { ExtFields } from "./command.ts";

/**
 * What a field can carry. `int64` is held to 2^53 - 1, the largest exact `number`; `int64Rounded`
 * may lose its last digits, for versions that are only compared and come in nanoseconds from some.
 */
type Kinds = {
  string: string;
  int32: number;
  int64: number;
  int64Rounded: number;
  bool: boolean;
};
type Value = string | number | boolean;

/** One field: its name on the wire, what it carries, whether it must be there. */
export type Field = {
  readonly wire: string;
  readonly kind: keyof Kinds;
  readonly required: boolean;
};

/** A header's fields by the names we give them. */
export type HeaderTable = Readonly<Record<string, Field>>;

/** The record a table describes. A field that may be absent reads as `undefined`. */
export type HeaderOf<T extends HeaderTable> = {
  readonly [N in keyof T]:
    | Kinds[T[N]["kind"]]
    | (T[N]["required"] extends true ? never : undefined);
};

/** A field that must be there. */
export function required<W extends string, K extends keyof Kinds>(wire: W, kind: K) {
  return { wire, kind, required: true } as const;
}

/** A field that may be absent. */
export function optional<W extends string, K extends keyof Kinds>(wire: W, kind: K) {
  return { wire, kind, required: false } as const;
}

type NamedField = Field & { readonly name: string };

type Shape = Record<string, Value | undefined>;

/**
 * A table's fields, listed once: tables are constants, and headers come by the ten thousand. A copy
 * of `absent` has room for every field, where an object that grows is made anew a few times.
 */
type Listed = { readonly fields: readonly NamedField[]; readonly absent: Shape };

const listedTables = new WeakMap<HeaderTable, Listed>();

/**
 * Reads the fields that `table` names. Fields it does not name are ignored: newer clients add some.
 *
 * @throws {WireError} A required field is absent, or a value is not of its kind.
 */
export function readHeader<T extends HeaderTable>(table: T, extFields: ExtFields): HeaderOf<T> {
  const { fields, absent } = listed(table);
  const header: Shape = { ...absent };
  for (const field of fields) {
    const text = extFields[field.wire];
    if (text !== undefined) header[field.name] = readField(field, text);
    else if (field.required) {
      throw new WireError(`Cannot read header: "${field.name}" (${field.wire}) is absent`);
    }
  }
  return header as HeaderOf<T>;
}

/** Writes the fields that are not `undefined` as text, under their names on the wire. */
export function writeHeader<T extends HeaderTable>(table: T, header: HeaderOf<T>): ExtFields {
  const extFields: ExtFields = {};
  for (const field of listed(table).fields) {
    const value: Value | undefined = header[field.name];
    if (value !== undefined) extFields[field.wire] = String(value);
  }
  return extFields;
}

/** One value. An empty text is no value of the other kinds: some clients write it for "none". */
function readField(field: NamedField, text: string): Value | undefined {
  const { kind } = field;
  if (kind === "string") return text;
  if (text === "" && !field.required) return undefined;
  if (kind === "bool") {
    const value = readBool(text);
    if (value !== undefined) return value;
  } else {
    const value = readInteger(text);
    if (fits(kind, value)) return value;
  }
  const found = JSON.stringify(text.slice(0, 50));
  throw new WireError(
    `Cannot read header: "${field.name}" (${field.wire}) is no ${kind}: ${found}`,
  );
}

function fits(kind: Exclude<keyof Kinds, "string" | "bool">, value: number): boolean {
  if (kind === "int32") return value === (value | 0);
  return kind === "int64" ? Number.isSafeInteger(value) : !Number.isNaN(value);
}

/** `true` or `false` in any case, as Java reads and Python writes them; else `undefined`. */
export function readBool(text: string): boolean | undefined {
  if (text === "false") return false;
  if (text === "true") return true;
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

/** Decimal digits with at most a minus before them as a number; else NaN. */
export function readInteger(text: string): number {
  const isNegative = text.charCodeAt(0) === 45;
  const start = isNegative ? 1 : 0;
  if (text.length === start || text.length > start + 19) return NaN;
  let value = 0;
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return isNegative ? 0 - value : value;
}

function listed(table: HeaderTable): Listed {
  let known = listedTables.get(table);
  if (known === undefined) {
    const fields = Object.entries(table).map(([name, field]) => ({ ...field, name }));
    known = { fields, absent: Object.fromEntries(fields.map(({ name }) => [name, undefined])) };
    listedTables.set(table, known);
  }
  return known;
}
