/**
 * Threads over piscina. A role is a pool of one thread with one task that lasts until it closes, so
 * that piscina supervises it and a failing role ends no other; heavy tasks share a second pool.
 *
 * @module
 */
import { Piscina } from "piscina";
import type { ThreadPort } from "../../ports/thread_port.ts";
import type {
  HeavyTask,
  HeavyTasks,
  Role,
  RoleOptions,
  RoleStart,
  Threads,
} from "../../ports/threads.ts";

/** Piscina's types know the ports of `node:worker_threads`; the web's travel the same road. */
type TransferList = Exclude<NonNullable<Parameters<Piscina["run"]>[1]>["transferList"], undefined>;

/** What stays the same for both kinds of pool. */
const poolOptions = {
  // Waiting by `Atomics` would block a thread's event loop between tasks, timers included.
  atomics: "disabled",
  trackUnmanagedFds: false,
  recordTiming: false,
} as const;

/** An idle heavy thread is kept for so long: the next task then starts at once. */
const heavyIdleMs = 30_000;

/** The host's threads. */
export const systemThreads: Threads = { channel, threadPort, spawnRole, heavyTasks };

function channel(): readonly [MessagePort, MessagePort] {
  const { port1, port2 } = new MessageChannel();
  return [port1, port2];
}

function threadPort(port: MessagePort): ThreadPort {
  return {
    postMessage: (message, transfer) => port.postMessage(message, transfer),
    onMessage: (listener) => {
      port.onmessage = (event) => listener(event.data);
    },
    close: () => port.close(),
  };
}

function spawnRole({ entry, data, ports, youngBytesMax }: RoleOptions): Role {
  const pool = new Piscina({
    ...poolOptions,
    ...{ minThreads: 1, maxThreads: 1 },
    ...(youngBytesMax === undefined
      ? {}
      : { resourceLimits: { maxYoungGenerationSizeMb: youngBytesMax / 1024 / 1024 } }),
  });
  // A failing thread rejects its task, which is `done`; what piscina adds on the pool is an echo.
  pool.on("error", () => {});
  const start: RoleStart = { data, ports };
  const task = pool.run(start, {
    filename: entry.href,
    name: "runRole",
    transferList: [...ports] as unknown[] as TransferList,
  });
  // Piscina replaces a thread that ended; a role is started again by its owner, if at all.
  const done = task.then(() => pool.destroy(), async (thrown: unknown) => {
    await pool.destroy();
    throw thrown;
  });
  return { done, terminate: () => pool.destroy() };
}

function heavyTasks(
  { threadsMax, waitingMax }: { threadsMax: number; waitingMax: number },
): HeavyTasks {
  const pool = new Piscina({
    ...poolOptions,
    minThreads: 0,
    maxThreads: threadsMax,
    maxQueue: waitingMax,
    idleTimeout: heavyIdleMs,
  });
  pool.on("error", () => {});
  return {
    run: (task) => runHeavy(pool, task),
    close: () => pool.destroy(),
  };
}

async function runHeavy(pool: Piscina, task: HeavyTask): Promise<unknown> {
  if (pool.queueSize >= pool.options.maxQueue && pool.threads.length >= pool.maxThreads) {
    const message = `Cannot run "${task.name}": ${pool.queueSize} tasks are waiting`;
    throw Object.assign(new Error(message), { name: "QueueFullError" });
  }
  return await pool.run(task.input, {
    filename: task.entry.href,
    name: task.name,
    transferList: [...task.transfer ?? []],
    signal: task.signal ?? null,
  });
}
