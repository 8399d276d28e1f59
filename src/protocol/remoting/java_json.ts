/**
 * Reads the JSON that Java's fastjson writes and standard parsers refuse: keys of objects that are
 * numbers, `{0:"a"}`, or whole objects, `{{"queueId":0}:7}`.
 *
 * @module
 */
import { WireError } from "../../model/errors.ts";

/** Deeper than any body of the protocol; the parser recurses. */
const depthMax = 32;

/** What such a text holds. */
export type JavaValue = string | number | boolean | null | JavaValue[] | JavaObject;

/** An object: its entries in order. A key is text (numbers are made text) or an object. */
export class JavaObject {
  readonly entries: readonly (readonly [string | JavaObject, JavaValue])[];

  constructor(entries: readonly (readonly [string | JavaObject, JavaValue])[]) {
    this.entries = entries;
  }

  /** The value under a key of text; the last one, if it came twice. */
  get(name: string): JavaValue | undefined {
    return this.entries.findLast(([key]) => key === name)?.[1];
  }
}

/**
 * Reads one value.
 *
 * @throws {WireError} The text is no such value, or nests too deep.
 */
export function parseJavaJson(text: string): JavaValue {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

const spaces = /[ \t\r\n]*/y;
const literals = /-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;
/** Every character between quotes is taken one by one, so that no input makes it go back. */
// deno-lint-ignore no-control-regex
const strings = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y;

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JavaValue {
    if (depth > depthMax) throw this.#fault(`at most ${depthMax} levels`);
    const next = this.#peek();
    if (next === "{") return this.#object(depth);
    if (next === "[") return this.#array(depth);
    if (next === '"') return this.#string();
    return this.#literal();
  }

  end(): void {
    if (this.#peek() !== "") throw this.#fault("the end");
  }

  #object(depth: number): JavaObject {
    const entries: [string | JavaObject, JavaValue][] = [];
    this.#items("{", "}", () => {
      const key = this.value(depth + 1);
      if (Array.isArray(key) || key === null) throw this.#fault("a key");
      this.#expect(":");
      const name = key instanceof JavaObject ? key : String(key);
      entries.push([name, this.value(depth + 1)]);
    });
    return new JavaObject(entries);
  }

  #array(depth: number): JavaValue[] {
    const items: JavaValue[] = [];
    this.#items("[", "]", () => items.push(this.value(depth + 1)));
    return items;
  }

  #items(open: string, close: string, readItem: () => void): void {
    this.#expect(open);
    if (this.#peek() === close) return this.#expect(close);
    readItem();
    while (this.#peek() === ",") {
      this.#expect(",");
      readItem();
    }
    this.#expect(close);
  }

  #string(): string {
    const found = this.#match(strings, "text in quotes");
    try {
      return JSON.parse(found);
    } catch (cause) {
      throw new WireError(`Cannot read JSON: ${found.slice(0, 50)} has a false escape`, { cause });
    }
  }

  #literal(): JavaValue {
    return JSON.parse(this.#number(this.#match(literals, "a value")));
  }

  /** Without leading zeros, which the standard does not know. */
  #number(text: string): string {
    return text.replace(/^(-?)0+(?=\d)/, "$1");
  }

  #match(pattern: RegExp, wanted: string): string {
    this.#peek();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw this.#fault(wanted);
    this.#at += found.length;
    return found;
  }

  /** The next character that is no space; "" at the end. */
  #peek(): string {
    spaces.lastIndex = this.#at;
    this.#at += spaces.exec(this.#text)?.[0].length ?? 0;
    return this.#text.charAt(this.#at);
  }

  #expect(character: string): void {
    if (this.#peek() !== character) throw this.#fault(`"${character}"`);
    this.#at++;
  }

  #fault(wanted: string): WireError {
    const found = JSON.stringify(this.#text.slice(this.#at, this.#at + 30));
    return new WireError(`Cannot read JSON: at ${this.#at} is not ${wanted} but ${found}`);
  }
}
