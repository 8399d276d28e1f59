/** What commands print: tables for people, JSON for programs. @module */
import { safeText } from "../base/log.ts";

/** A table with a head. Columns of numbers stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length))
  );
  const toRight = head.map((_, column) =>
    rows.length > 0 && rows.every((row) => /^[\d.,-]*$/.test(row[column] ?? ""))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return toRight[column] ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd();
  return [line(head), ...rows.map(line)].join("\n") + "\n";
}

/** Names and values, one a line. */
export function pairs(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
}

/** One JSON value on a line of its own. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** A value from the broker for a person: text is made safe for a terminal, the rest is JSON. */
export function show(value: unknown): string {
  if (typeof value === "string") return safeText(value);
  if (value === undefined || value === null) return "-";
  return safeText(JSON.stringify(value));
}
