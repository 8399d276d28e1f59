/**
 * Serves over `Deno.serve` as a whole, for those who take the process's files away. Says where it
 * listens, and each trouble, a line each.
 *
 * @module
 */
import process from "node:process";
import { WholeServer } from "../../src/runtime/deno/whole_server.ts";

const server = new WholeServer({
  host: "127.0.0.1",
  port: 0,
  bounds: { connectionsMax: 1_000, headMsMax: 60_000, idleMsMax: 60_000 },
  fetch: () => new Response("well"),
  onError: (error) => new Response(String(error), { status: 599 }),
  onTrouble: ({ message }) => process.stdout.write(`trouble: ${message}\n`),
});
process.stdout.write(`port: ${server.address.port}\n`);
