/** Writes the tables of requests into `docs/rocketmq.md`: `deno task docs:rocketmq`. @module */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { faultsOf, pagePath, readTestFiles, tablesOf, withTables } from "./code_page.ts";

const files = readTestFiles();
const faults = faultsOf(files);
if (faults.length > 0) {
  process.stderr.write(`Cannot write the page:\n${faults.join("\n")}\n`);
  process.exit(1);
}
writeFileSync(pagePath, withTables(readFileSync(pagePath, "utf8"), tablesOf(files)));
