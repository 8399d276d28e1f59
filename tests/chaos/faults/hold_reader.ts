/**
 * A process that begins to read a database file and never ends: `hold_reader.ts <path>`.
 *
 * @module
 */
import process from "node:process";
import { DatabaseSync } from "node:sqlite";

const path = process.argv[2];
if (path === undefined) throw new Error("Cannot read: no path was given");
const database = new DatabaseSync(path, { readOnly: true });
database.exec("BEGIN");
database.prepare("SELECT count(*) FROM log").get();
process.stdout.write("reading\n");
// Until somebody kills it, or its parent is gone.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
