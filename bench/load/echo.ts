/**
 * A bare Hono echo on the runtime's own server: what HTTP costs before a broker does anything.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it says where it listens
import { Hono } from "hono";
import { runtime } from "../../src/runtime/mod.ts";

const app = new Hono();
app.post("*", async (context) => context.json(await context.req.json()));

const server = await runtime.http.serve({
  host: "127.0.0.1",
  port: 0,
  fetch: (request) => app.fetch(request),
  bounds: { connectionsMax: 1_000, headMsMax: 10_000, idleMsMax: 60_000 },
  onError: () => new Response(null, { status: 500 }),
  onTrouble: (error) => console.error(error),
});
console.log(JSON.stringify({ http: `127.0.0.1:${server.address.port}` }));
