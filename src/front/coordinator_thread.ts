/**
 * The coordinator's thread: started once and never replaced. It holds what all others go by, so the
 * broker ends with it.
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import type { Settings } from "../config/schema.ts";
import { LinkClient } from "../link/client.ts";
import {
  type CoordinatorNews,
  type CoordinatorOperations,
  coordinatorOperations,
} from "../link/coordinator_messages.ts";
import { BrokerError } from "../model/errors.ts";
import { randomBytes, runtime } from "../runtime/mod.ts";
import { workerEntries } from "../../workers/addresses.ts";
import type { CoordinatorStart } from "../../workers/coordinator/main.ts";

/** The running thread, and how it is asked. */
export type CoordinatorThread = {
  readonly link: LinkClient<CoordinatorOperations>;
  /** Rejects when the thread has ended, for whatever reason. */
  readonly failed: Promise<never>;
  /** Names who hears the news, those first that came before. Called once. */
  listen(heard: (news: CoordinatorNews) => void): void;
  /** Everything asked is answered, the registry closed, the thread ended. */
  stop(): Promise<void>;
};

/** Starts the thread. `shardPorts`: its ends of the ports to the shards, by shard. */
export function startCoordinator(
  settings: Settings,
  shardPorts: readonly MessagePort[],
): CoordinatorThread {
  const { threads } = runtime;
  const [ours, theirs] = threads.channel();
  /** Bounded by the registry: it tells nothing twice before it is asked. */
  const early: CoordinatorNews[] = [];
  let heard: (news: CoordinatorNews) => void = (news) => early.push(news);
  const link = new LinkClient(
    coordinatorOperations,
    threads.threadPort(ours),
    limits.linkRequestsMax,
    (news) => heard(news as CoordinatorNews),
  );
  const role = threads.spawnRole({
    entry: workerEntries.coordinator,
    data: startOf(settings),
    ports: [theirs, ...shardPorts],
    youngBytesMax: limits.coordinatorYoungBytesMax,
  });
  const failed = role.done.then(
    () => Promise.reject(new BrokerError("internal", "The coordinator ended")),
    (thrown) => {
      link.lose(new BrokerError("internal", "The coordinator failed"));
      throw thrown;
    },
  );
  // Whoever waits for it hears it; while nobody does, it must not end the process.
  failed.catch(() => null);
  return {
    link,
    failed,
    listen: (listener) => {
      for (const news of early.splice(0)) listener(news);
      heard = listener;
    },
    stop: async () => {
      await Promise.race([link.ask("drain", null), failed.catch(() => null)]);
      await role.terminate();
    },
  };
}

function startOf(settings: Settings): CoordinatorStart {
  return { ...settings, freshSecret: randomBytes(32), directory: settings.data };
}
