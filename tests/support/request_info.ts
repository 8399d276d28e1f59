/** What a server tells beside a request, where no server is. @module */
import type { RequestInfo } from "../../src/ports/http.ts";

/** Of a client on loopback whose body is read from the request, and whom nobody cuts. */
export const plainInfo: RequestInfo = {
  remote: { host: "127.0.0.1", port: 50_000 },
  bodyWithin() {},
  bodyAtOnce: () => null,
  headersOf: ({ headers }) => headers,
  lasts() {},
};
