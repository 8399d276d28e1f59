/** What the runtime offers, picked once. The only door to this folder. @module */
import type { Clock } from "../base/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Http } from "../ports/http.ts";
import type { Memory } from "../ports/memory.ts";
import type { Signals } from "../ports/signals.ts";
import type { Sockets } from "../ports/sockets.ts";
import type { Threads } from "../ports/threads.ts";
import type { Timers } from "../ports/timers.ts";
import type { Tls } from "../ports/tls.ts";
import { bunHttp } from "./bun/http.ts";
import { bunMemory } from "./bun/memory.ts";
import { bunSockets } from "./bun/tcp.ts";
import { systemClock } from "./clock.ts";
import { denoHttp } from "./deno/http.ts";
import { systemFiles } from "./node/files.ts";
import { systemSockets } from "./node/tcp.ts";
import { systemThreads } from "./node/threads.ts";
import { systemTimers } from "./node/timers.ts";
import { systemTls } from "./node/tls.ts";
import { systemSignals } from "./signals.ts";

export { randomBytes, randomId, randomSeed } from "./random.ts";

/** The ports, each answered by the host. */
export type Runtime = {
  readonly name: "deno" | "bun";
  readonly clock: Clock;
  readonly files: Files;
  readonly http: Http;
  /** `null`: the runtime bounds its garbage itself. */
  readonly memory: Memory | null;
  readonly signals: Signals;
  readonly sockets: Sockets;
  readonly threads: Threads;
  readonly timers: Timers;
  readonly tls: Tls;
};

/** The runtime this process runs on. */
export const runtimeName: Runtime["name"] = "Deno" in globalThis ? "deno" : "bun";

/** The adapters of this process. */
export const runtime: Runtime = {
  name: runtimeName,
  clock: systemClock,
  files: systemFiles,
  http: runtimeName === "deno" ? denoHttp : bunHttp,
  memory: runtimeName === "deno" ? null : bunMemory(),
  signals: systemSignals,
  sockets: runtimeName === "deno" ? systemSockets : bunSockets,
  threads: systemThreads,
  timers: systemTimers,
  tls: systemTls,
};
