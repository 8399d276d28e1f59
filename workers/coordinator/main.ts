/** Entry of the coordinator's thread: opens the registry, joins ports and role. @module */
import { assert } from "../../src/base/assert.ts";
import type { LogLevel } from "../../src/base/log.ts";
import type { RoleStart } from "../../src/ports/threads.ts";
import { runtime } from "../../src/runtime/mod.ts";
import { stderrLog } from "../../src/runtime/stderr_log.ts";
import { openMetaStore } from "../../storage/meta_store.ts";
import { Coordinator, type CoordinatorSettings } from "./coordinator.ts";

/** What the launcher hands to the coordinator. */
export type CoordinatorStart = CoordinatorSettings & {
  readonly directory: string;
  /** 32 random bytes: the receipt secret, should this be the first start. */
  readonly freshSecret: Uint8Array;
  readonly logLevel: LogLevel;
};

/** Runs the coordinator until it was drained. `ports`: the front's link, then one a shard. */
export async function runRole({ data, ports }: RoleStart): Promise<void> {
  const { directory, freshSecret, logLevel, ...settings } = data as CoordinatorStart;
  const { clock, timers, threads } = runtime;
  const [front, ...shards] = ports.map((port) => threads.threadPort(port));
  assert(front !== undefined, "the coordinator has a port to the front");
  const store = openMetaStore(`${directory}/meta.db`, freshSecret);
  const log = stderrLog(logLevel).child({ role: "coordinator" });
  const role = new Coordinator({ front, shards, store, clock, timers, log, settings });
  await role.drained;
  for (const port of [front, ...shards]) port.close();
}
