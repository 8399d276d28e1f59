/**
 * What topics and groups have in common on the command line: named things that are made and
 * changed.
 *
 * @module
 */
import type { Host } from "../ports/host.ts";
import { type ApiClient, type ApiRequest, isObject, listAt } from "./api_client.ts";
import { type ExitCode, exitCodes, type OptionTable } from "./command.ts";
import { UsageError } from "./failure.ts";
import { jsonLine, pairs, show, table } from "./output.ts";

/** The collection in the API: `/v1/topics`, `/v1/groups`. */
export type Collection = "topics" | "groups";

/** Where answers go, and in which form. */
export type Printer = { readonly host: Host; readonly json: boolean };

/** Asks, prints the answer as JSON or as `told` says, and ends well. */
export async function askAndTell(
  api: ApiClient,
  request: ApiRequest,
  { host, json }: Printer,
  told: (answer: unknown) => string,
): Promise<ExitCode> {
  const answer = await api.ask(request);
  await host.out.write(json ? jsonLine(answer ?? {}) : told(answer));
  return exitCodes.ok;
}

/** A column of a list: its title, and its text for one item. */
export type Column = readonly [
  title: string,
  cell: (item: Readonly<Record<string, unknown>>) => string,
];

/** Prints a collection as a table, or as one JSON value. The broker hands it out in pages. */
export async function listAll(
  api: ApiClient,
  collection: Collection,
  columns: readonly Column[],
  { host, json }: Printer,
): Promise<ExitCode> {
  const items: Readonly<Record<string, unknown>>[] = [];
  let after: string | undefined;
  for (let more = true; more;) {
    const query = { after };
    const answer = await api.ask({ method: "GET", path: ["v1", collection], query });
    items.push(...listAt(answer, collection));
    const next = isObject(answer) ? answer["next"] : undefined;
    more = typeof next === "string" && next !== after;
    if (typeof next === "string") after = next;
  }
  await host.out.write(
    json ? jsonLine({ [collection]: items }) : listText(collection, columns, items),
  );
  return exitCodes.ok;
}

function listText(
  collection: Collection,
  columns: readonly Column[],
  items: readonly Readonly<Record<string, unknown>>[],
): string {
  const one = collection.slice(0, -1);
  if (items.length === 0) {
    return `There are no ${collection} yet. \`curlew ${one} create NAME\` makes one.\n`;
  }
  const rows = items.map((item) => columns.map(([, cell]) => cell(item)));
  return table(columns.map(([title]) => title), rows);
}

/** Prints every field of one item. */
export function showOne(
  api: ApiClient,
  collection: Collection,
  name: string,
  printer: Printer,
): Promise<ExitCode> {
  const request: ApiRequest = { method: "GET", path: ["v1", collection, name] };
  return askAndTell(api, request, printer, describe);
}

/** The fields of an answer, one a line; settings are opened, and lists of objects become tables. */
export function describe(answer: unknown): string {
  if (!isObject(answer)) return "Done.\n";
  const lines: [string, string][] = [];
  const tables: string[] = [];
  for (const [name, value] of Object.entries(answer)) {
    if (Array.isArray(value) && value.length > 0 && value.every(isObject)) {
      tables.push(`\n${name}:\n${tableOf(value)}`);
    } else if (name === "settings" && isObject(value)) {
      for (const [inner, each] of Object.entries(value)) lines.push([inner, show(each)]);
    } else lines.push([name, show(value)]);
  }
  return pairs(lines) + tables.join("");
}

/** Objects of one kind as a table: their names are the head. */
function tableOf(items: readonly Readonly<Record<string, unknown>>[]): string {
  const names = Object.keys(items[0] ?? {});
  return table(names, items.map((item) => names.map((name) => show(item[name]))));
}

/**
 * The settings a change names.
 *
 * @throws {UsageError} None is named: a change of nothing is a mistake.
 */
export function changesOf(
  settings: Readonly<Record<string, unknown>>,
  table: OptionTable,
): Readonly<Record<string, unknown>> {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  if (given.length > 0) return Object.fromEntries(given);
  throw new UsageError(
    `Nothing to change: give at least one of ${Object.keys(table).length} settings.`,
  );
}

/** A field of an item, also where the API nests settings one level deeper. */
export function fieldOf(item: Readonly<Record<string, unknown>>, name: string): unknown {
  if (item[name] !== undefined) return item[name];
  return isObject(item["settings"]) ? item["settings"][name] : undefined;
}
