/** Entry of a shard's thread: opens the store, joins ports and role. @module */
import type { LogLevel } from "../../src/base/log.ts";
import { shardOperations } from "../../src/link/shard_messages.ts";
import type { ShardNews } from "../../src/link/coordinator_messages.ts";
import { LinkServer } from "../../src/link/server.ts";
import { assert } from "../../src/base/assert.ts";
import type { RoleStart } from "../../src/ports/threads.ts";
import { runtime } from "../../src/runtime/mod.ts";
import { diskOf } from "../../src/runtime/node/disk.ts";
import { stderrLog } from "../../src/runtime/stderr_log.ts";
import { openShardStore } from "../../storage/mod.ts";
import { DiskGuard } from "./disk_guard.ts";
import type { CheckPolicy } from "./due.ts";
import { Shard } from "./shard.ts";

/** What the launcher hands to a shard. */
export type ShardStart = {
  readonly shard: number;
  readonly directory: string;
  readonly ballastPath: string;
  readonly ballastBytes: number;
  readonly diskReserveBytes: number;
  readonly acceptDamage: boolean;
  readonly logLevel: LogLevel;
  readonly checks: CheckPolicy;
};

/** Runs the shard until it was drained. `ports`: the front's link, the coordinator's news. */
export async function runRole({ data, ports }: RoleStart): Promise<void> {
  const { shard, directory, ballastPath, ballastBytes, ...rest } = data as ShardStart;
  const { clock, timers, threads } = runtime;
  const [front, coordinator] = ports.map((port) => threads.threadPort(port));
  assert(front !== undefined && coordinator !== undefined, "a shard has two ports");
  const log = stderrLog(rest.logLevel).child({ shard });
  const disk = diskOf(directory, ballastPath, ballastBytes);
  const server = new LinkServer(shardOperations, front, () => role.arrived());
  const role: Shard = new Shard({
    number: shard,
    openStore: () => openShardStore({ directory, shard, clock, acceptDamage: rest.acceptDamage }),
    clock,
    timers,
    guard: new DiskGuard(disk, rest.diskReserveBytes),
    log,
    checks: rest.checks,
    tellCoordinator: (news) => coordinator.postMessage(JSON.stringify(news), []),
  }, server);
  coordinator.onMessage((text) => role.heard(JSON.parse(String(text)) as ShardNews));
  await role.drained;
  front.close();
  coordinator.close();
}
