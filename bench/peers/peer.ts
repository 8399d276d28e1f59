/**
 * What is measured side by side: a broker that can be started on empty files, and the loads that it
 * understands.
 *
 * @module
 */
import process from "node:process";
import type { Address } from "../../src/cli/bench/sockets.ts";

/** A broker at work. */
export type RunningPeer = {
  /** Where RocketMQ's clients are pointed at. Absent: it does not speak their protocol. */
  readonly nameServer?: string;
  /** Where messages are sent to: of RocketMQ the broker itself, beside its name server. */
  readonly address: Address;
  stop(): Promise<void>;
};

/** A broker that can be started. */
export type Peer = {
  readonly name: string;
  /** When it answers a send: what its acknowledgement is worth decides what it costs. */
  readonly answers: string;
  readonly speaks: "remoting" | "redis";
  /** Why it cannot be started on this machine, if so. Fetches and builds what it needs. */
  readonly missing: () => Promise<string | undefined>;
  /** Starts it with its files in a directory that is empty. */
  readonly start: (directory: string) => Promise<RunningPeer>;
};

/** Whether this program runs on Bun. */
export const isBun = "bun" in process.versions;
