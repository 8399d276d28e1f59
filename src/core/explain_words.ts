/** How explanations say numbers, times and expressions. @module */

/** Expressions between quotes; "everything" when there are none. */
export function quoted(expressions: readonly string[]): string {
  return expressions.length === 0 ? "everything" : expressions.map((one) => `"${one}"`).join(", ");
}

/** "1 message", "2 messages", "2 deliveries". */
export function counted(count: number, one: string): string {
  const many = one.endsWith("y") ? `${one.slice(0, -1)}ies` : `${one}s`;
  return `${count} ${count === 1 ? one : many}`;
}

/** A moment in ISO form. */
export function time(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

/** How long, in the unit that fits. */
export function span(ms: number): string {
  if (ms < 0) return "no time";
  if (ms < 10_000) return `${ms} ms`;
  if (ms < 600_000) return `${Math.round(ms / 1000)} s`;
  return ms < 36_000_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
