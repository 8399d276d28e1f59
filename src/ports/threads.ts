/**
 * Threads: roles that last, and heavy tasks that do not.
 *
 * A role's entry is a module that exports `runRole`; a task's module exports a function by name.
 *
 * @module
 */
import type { ThreadPort } from "./thread_port.ts";

/** What a role's thread is started with. `ports` are in the order the starter gave them. */
export type RoleStart = { readonly data: unknown; readonly ports: readonly MessagePort[] };

/**
 * The export `runRole` of a role's entry module. It resolves when the role has closed in order; an
 * exception, also one in a callback, ends the thread.
 */
export type RunRole = (start: RoleStart) => Promise<void>;

/** Which role to start. */
export type RoleOptions = {
  /** The module; workers/addresses.ts knows them all. */
  readonly entry: URL;
  /** Copied to the thread as it is: plain values only. */
  readonly data: unknown;
  /** Given away: the other ends stay with the starter. */
  readonly ports: readonly MessagePort[];
  /**
   * What new objects may fill before they are looked through. Absent: as the runtime does for its
   * busiest threads. A runtime that cannot bound it lets it be.
   */
  readonly youngBytesMax?: number;
};

/** A running role. */
export interface Role {
  /**
   * Resolves when the role has closed, by itself or after `close`. Rejects when its thread threw or
   * ended; the error is the thread's own where the runtime tells.
   */
  readonly done: Promise<void>;
  /** Ends the thread at once, whatever it does. Ask the role over its port to close in order. */
  terminate(): Promise<void>;
}

/** One short piece of heavy work: password hashes, exports, queries on a read-only connection. */
export type HeavyTask = {
  readonly entry: URL;
  /** Name of the exported function; it is called with `input`. */
  readonly name: string;
  readonly input: unknown;
  readonly transfer?: readonly ArrayBuffer[];
  /** Abandons the task, and ends its thread if it has begun. */
  readonly signal?: AbortSignal;
};

/** A few threads for heavy tasks. */
export interface HeavyTasks {
  /**
   * @throws {Error} What the task threw; or, with `name` `"QueueFullError"`, too many tasks wait.
   */
  run(task: HeavyTask): Promise<unknown>;
  close(): Promise<void>;
}

/** The threads of the host. */
export interface Threads {
  /** Two ends of a new channel: one to keep, one to give a role. */
  channel(): readonly [MessagePort, MessagePort];
  /** A channel's end as the links speak to it. Messages begin to flow when someone listens. */
  threadPort(port: MessagePort): ThreadPort;
  spawnRole(options: RoleOptions): Role;
  heavyTasks(options: { readonly threadsMax: number; readonly waitingMax: number }): HeavyTasks;
}
