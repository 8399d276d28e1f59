/**
 * The program's entry: joins the commands to the process. The broker and its stores are imported
 * only by the command that needs them, so that every other one starts at once.
 *
 * @module
 */
import { exitProcess, processHost } from "../runtime/node/process_host.ts";
import { runProgram } from "./program.ts";
import { rootFamily } from "./root.ts";

const root = rootFamily({
  readSettings: async () => (await import("./joins/serve_join.ts")).readSettings,
  inspect: async () => (await import("./joins/check_join.ts")).inspect,
  runImport: async () => (await import("./joins/import_join.ts")).runImport,
});

exitProcess(await runProgram(root, processHost()));
