/**
 * The tables of requests in `docs/rocketmq.md`, made of the handlers, of `code_table.ts`, and of
 * the names of the tests in this folder: a test that says "code 17" or "codes 311 to 313 and 901"
 * holds those requests. `deno task docs:rocketmq` writes them.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { absentRequests, reasonAgainst } from "../../../src/protocol/remoting/absent_requests.ts";
import {
  requestCodes,
  type RequestName,
  requestName,
} from "../../../src/protocol/remoting/codes.ts";
import { servedCodes } from "../../../src/protocol/remoting/routes.ts";
import { type CodeRow, codeTable } from "./code_table.ts";

/** The page, and where its tables begin and end. */
export const pagePath = new URL("../../../docs/rocketmq.md", import.meta.url);
const begin = "<!-- made by deno task docs:rocketmq: begin -->\n";
const end = "<!-- made by deno task docs:rocketmq: end -->\n";

const folder = new URL("./", import.meta.url);
const folderFromPage = "../tests/conformance/remoting";

/** A test file: its name without the ending, and its text. */
export type TestFile = { readonly name: string; readonly text: string };
/** Code → test file → how many of its tests hold the code. */
export type Holders = ReadonlyMap<number, ReadonlyMap<string, number>>;

/** The test files of this folder. */
export function readTestFiles(): TestFile[] {
  return readdirSync(folder).filter((name) => name.endsWith("_test.ts")).sort().map((name) => ({
    name: name.slice(0, -"_test.ts".length),
    text: readFileSync(new URL(name, folder), "utf8"),
  }));
}

/** The codes a test says it holds: "codes 14 and 15", "codes 304, 305, 311 to 313 and 901". */
export function codesOf(testName: string): number[] {
  const list = /\bcodes? (\d+(?:(?:, | and | to )\d+)*)/.exec(testName)?.[1] ?? "";
  return list.split(/, | and /).filter((part) => part !== "").flatMap((part) => {
    const [first = 0, last = first] = part.split(" to ").map(Number);
    return Array.from({ length: last - first + 1 }, (_, step) => first + step);
  });
}

/** Which tests hold which codes. */
export function holdersOf(files: readonly TestFile[]): Holders {
  const holders = new Map<number, Map<string, number>>();
  for (const { name, text } of files) {
    for (const [, testName = ""] of text.matchAll(/^test\(\s*"([^"]*)"/gm)) {
      for (const code of codesOf(testName)) {
        const ofCode = holders.get(code) ?? new Map<string, number>();
        holders.set(code, ofCode.set(name, (ofCode.get(name) ?? 0) + 1));
      }
    }
  }
  return holders;
}

/** What is wrong between handlers, table and tests: nothing, or the page is not written. */
export function faultsOf(files: readonly TestFile[]): string[] {
  const holders = holdersOf(files);
  const table: Readonly<Record<string, CodeRow>> = codeTable;
  const unheld = (Object.entries(requestCodes) as [RequestName, number][]).flatMap(
    ([name, code]) => {
      const row = table[name];
      const title = `${code} ${requestName(code)}`;
      const isServed = servedCodes.has(code);
      if (row === undefined) {
        if (isServed) return [`${title} is fulfilled, but not in code_table.ts`];
        return reasonAgainst(code) === undefined ? [`${title} is nowhere accounted for`] : [];
      }
      if (!isServed && row.sent !== true) return [`${title} has a row, but no handler`];
      return holders.has(code) ? [] : [`${title} is held by no test`];
    },
  );
  const known = new Set<number>(Object.values(requestCodes));
  const strange = [...holders].flatMap(([code, tests]) => {
    if (!known.has(code)) return [`${[...tests.keys()]} names code ${code}, which nothing has`];
    return [...tests.keys()].filter((file) => !mentions(files, file, code))
      .map((file) => `${file}_test.ts names code ${code} and never asks it`);
  });
  return [...unheld, ...strange];
}

/** Whether the number stands in the file outside of the names of tests. */
function mentions(files: readonly TestFile[], name: string, code: number): boolean {
  const text = files.find((file) => file.name === name)?.text ?? "";
  const literal = String(code).replace(/(?<=\d{2,})(\d{3})$/, "_?$1");
  return new RegExp(`\\b${literal}\\b`).test(text.replaceAll(/^test\(\s*"[^"]*"/gm, ""));
}

/** Both tables. */
export function tablesOf(files: readonly TestFile[]): string {
  const holders = holdersOf(files);
  const table: Readonly<Record<string, CodeRow>> = codeTable;
  const byCode = (Object.entries(requestCodes) as [RequestName, number][])
    .sort(([, one], [, other]) => one - other);
  const served = byCode.flatMap(([name, code]) => {
    const row = table[name];
    if (row === undefined) return [];
    const title = `\`${requestName(code)}\`${row.sent === true ? ", to clients" : ""}`;
    return [`| ${code} | ${title} | ${row.need} | ${row.remark} | ${testsText(holders, code)} |`];
  });
  const absent = byCode.filter(([name]) => name in absentRequests).map(([, code]) =>
    `| ${code} | \`${requestName(code)}\` | ${reasonAgainst(code)} |`
  );
  return [
    "| Code | Request | Need | Remarks | Tests |",
    "| --- | --- | --- | --- | --- |",
    ...served,
    "",
    "Everything else is answered with code 3 and a sentence that names the request. Of what",
    "RocketMQ's own clients and tools may send, these:",
    "",
    "| Code | Request | Why it is not fulfilled |",
    "| --- | --- | --- |",
    ...absent,
    "",
  ].join("\n");
}

function testsText(holders: Holders, code: number): string {
  const files = [...holders.get(code) ?? []];
  return files.map(([name, count]) => `[${name}](${folderFromPage}/${name}_test.ts) ${count}`)
    .join(", ");
}

/** The page with these tables between its marks. @throws {Error} It has no marks. */
export function withTables(page: string, tables: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) {
    throw new Error(`Cannot write the tables: docs/rocketmq.md has no lines ${begin} and ${end}`);
  }
  return page.slice(0, from + begin.length) + tables + page.slice(to);
}
