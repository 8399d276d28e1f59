/**
 * The launcher: builds the parts in order, and takes them down in reverse.
 *
 *     directory lock ▶ shards ▶ coordinator ▶ registry snapshot ▶ door ▶ listeners ▶ ready
 *
 * @module
 */
import type { Log } from "../base/log.ts";
import { Door } from "../broker/door.ts";
import { RegistryView } from "../broker/registry_view.ts";
import { ShardRouter } from "../broker/shard_router.ts";
import type { Settings } from "../config/schema.ts";
import { BrokerError } from "../model/errors.ts";
import { UniqueKeys } from "../model/message_id.ts";
import type { DirectoryLock } from "../ports/files.ts";
import { randomBytes, runtime } from "../runtime/mod.ts";
import { signerWith } from "../runtime/signer.ts";
import { webhookWith } from "../runtime/webhook.ts";
import type { Webhook } from "../ports/webhook.ts";
import { workerEntries } from "../../workers/addresses.ts";
import type { ShardStart } from "../../workers/shard/main.ts";
import { startCoordinator } from "./coordinator_thread.ts";
import { type Listeners, startListeners } from "./listeners.ts";
import { ShardThreads, type ShardThreadsParts } from "./shard_threads.ts";

/** A broker that serves. */
export type RunningBroker = {
  /** Where it listens, as "host:port". */
  readonly ready: { readonly http: string; readonly remoting: string };
  /** Rejects when something the broker cannot go on without has failed. */
  readonly failed: Promise<never>;
  /** No new work, parked requests answered, commits finished, files closed. */
  stop(): Promise<void>;
};

/**
 * Starts a broker in this process.
 *
 * @throws {BrokerError} `conflict`: another process holds the data directory, or an address is
 * taken. The message names who and what.
 */
export async function startBroker(
  settings: Settings,
  { log, version }: { readonly log: Log; readonly version: string },
): Promise<RunningBroker> {
  const lock = await lockDirectory(settings.data);
  const undo: (() => Promise<void>)[] = [() => lock.release()];
  try {
    const shards = Math.max(settings.shards, await shardsPresent(settings.data));
    return await startParts({ ...settings, shards }, { log, version, lock, undo });
  } catch (thrown) {
    await takeDown(undo, log);
    throw thrown;
  }
}

async function startParts(
  settings: Settings,
  { log, version, lock, undo }: {
    readonly log: Log;
    readonly version: string;
    readonly lock: DirectoryLock;
    readonly undo: (() => Promise<void>)[];
  },
): Promise<RunningBroker> {
  const { threads, timers, clock } = runtime;
  const view = new RegistryView();
  const router = new ShardRouter(settings.shards);
  const dataOf = (shard: number) => shardStart(settings, shard);
  const entry = workerEntries.shard;
  // Nothing is due before the door is there: the coordinator rings, and it starts after the shards.
  let onChecks: ShardThreadsParts["onChecks"] = () => {};
  const shards = new ShardThreads({
    threads,
    timers,
    router,
    log,
    entry,
    dataOf,
    onChecks: (shard, checks) => onChecks(shard, checks),
  });
  const newsPorts = shards.start();
  undo.push(() => shards.stop());

  const coordinator = startCoordinator(settings, newsPorts);
  const { link, failed } = coordinator;
  undo.push(() => coordinator.stop());

  const snapshot = await Promise.race([link.ask("snapshot", null), failed]);
  const secret = Uint8Array.from(atob(snapshot.receiptSecret), (char) => char.charCodeAt(0));
  const signer = signerWith(secret);
  const uniqueKeys = new UniqueKeys(clock, randomBytes(10));
  const webhook = webhookOf(settings);
  const names = { view, router, coordinator: link, signer, uniqueKeys };
  const door = new Door({ ...names, clock, timers, log, webhook, settings });
  onChecks = (shard, checks) => door.heardChecks(shard, checks);
  door.begin(snapshot);
  coordinator.listen((news) => door.heard(news));
  await router.askAll("stats", () => null);

  const parts = { broker: door, signer, uniqueKeys, log, version, settings, runtime };
  const listeners = await startListeners(parts);
  undo.push(() => {
    router.close();
    door.close();
    return listeners.stop(shards.drain());
  });
  await lock.announce(listeners.http);
  return running(listeners, failed, undo, log);
}

function running(
  listeners: Listeners,
  failed: Promise<never>,
  undo: (() => Promise<void>)[],
  log: Log,
): RunningBroker {
  let stopped: Promise<void> | null = null;
  return {
    ready: { http: listeners.http, remoting: listeners.remoting },
    failed,
    stop: () => stopped ??= takeDown(undo, log),
  };
}

/** In reverse order of building. One part that fails to stop does not keep the others up. */
async function takeDown(undo: (() => Promise<void>)[], log: Log): Promise<void> {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
    try {
      await step();
    } catch (thrown) {
      log.error("a part failed to stop", { reason: String(thrown) });
    }
  }
}

/** How many shards the directory already has: a machine with fewer cores still needs them all. */
async function shardsPresent(directory: string): Promise<number> {
  const names = await runtime.files.list(directory);
  const numbers = names.map((name) => Number(/^shard-(\d+)\.db$/.exec(name)?.[1] ?? -1));
  return Math.max(0, ...numbers.map((number) => number + 1));
}

async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const lock = await lockedOrHeld(directory);
  if (lock.kind === "locked") return lock;
  const { holder } = lock;
  const who = holder === null
    ? "another process"
    : `process ${holder.pid}${holder.address === "" ? "" : ` (http://${holder.address})`}`;
  throw new BrokerError(
    "conflict",
    `Cannot use data directory ${directory}: ${who} holds it. ` +
      "Stop that process, or choose another directory with --data",
  );
}

/** @throws {BrokerError} `conflict`: the directory cannot be made, or not be written in. */
async function lockedOrHeld(directory: string) {
  const { files, clock } = runtime;
  try {
    await files.makeDirectory(directory);
    return await files.lockDirectory(directory, clock.wallMs());
  } catch (thrown) {
    // The system's own errors say what is wrong; others are mistakes of ours, and stay so.
    if (!(thrown instanceof Error) || !("code" in thrown)) throw thrown;
    throw new BrokerError(
      "conflict",
      `Cannot use data directory ${directory}: ${thrown.message}. ` +
        "Choose another directory with --data",
      { cause: thrown },
    );
  }
}

function shardStart(settings: Settings, shard: number): ShardStart {
  return {
    shard,
    directory: settings.data,
    ballastPath: `${settings.data}/ballast-${shard}`,
    ballastBytes: Math.ceil(settings.diskReserveBytes / 4 / settings.shards),
    diskReserveBytes: settings.diskReserveBytes,
    acceptDamage: settings.acceptDamage,
    logLevel: settings.logLevel,
    checks: {
      intervalMs: settings.transactionCheckIntervalMs,
      checksMax: settings.transactionChecksMax,
    },
  };
}

/** Without a secret nobody could tell our questions from others': then none are asked. */
function webhookOf({ webhookHosts, webhookSecret }: Settings): Webhook | null {
  if (webhookHosts === null) return null;
  if (webhookSecret !== null) return webhookWith(webhookSecret, runtime.clock);
  throw new BrokerError(
    "invalid_argument",
    "Cannot ask producers by webhook: webhookHosts is set and webhookSecret is not",
  );
}
