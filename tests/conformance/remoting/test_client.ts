/**
 * A client made of bytes: writes frames into a session and reads the frames that come back.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createLog, type LogRecord } from "../../../src/base/log.ts";
import type { Connection, ConnectionListener } from "../../../src/ports/sockets.ts";
import type { RemotingParts, RemotingSettings } from "../../../src/protocol/remoting/call.ts";
import type { RemotingCommand } from "../../../src/protocol/remoting/command.ts";
import { decodeCommand, encodeCommand } from "../../../src/protocol/remoting/command_frames.ts";
import { FrameDecoder, type Serializer } from "../../../src/protocol/remoting/frames.ts";
import { RemotingSessions } from "../../../src/protocol/remoting/sessions.ts";
import { ManualTimers } from "../../support/manual_timers.ts";
import { MemoryBroker } from "./memory_broker.ts";

/** A frame from the broker. */
export type Received = RemotingCommand & { readonly body: Uint8Array };

/** What can be said about a request beyond its code and fields. */
export type CallOptions = {
  readonly body?: Uint8Array;
  readonly version?: number;
  readonly serializer?: Serializer;
  readonly oneway?: boolean;
};

const settings: RemotingSettings = {
  clusterName: "DefaultCluster",
  brokerName: "curlew",
  advertise: null,
  autoCreateTopics: true,
  region: "DefaultRegion",
  traceOn: true,
};

/** A socket that keeps what is written, and how its owner treats it. */
export class FakeConnection implements Connection {
  readonly local = { host: "127.0.0.1", port: 9876 };
  readonly remote = { host: "10.0.0.7", port: 50_123 };
  readonly decoder = new FrameDecoder();
  readonly received: Received[] = [];
  bufferedBytes = 0;
  writes = 0;
  isPaused = false;
  isDestroyed = false;
  listener: ConnectionListener | undefined;

  listen(listener: ConnectionListener): void {
    this.listener = listener;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    this.writes++;
    for (const chunk of chunks) {
      this.decoder.push(chunk, (frame) => {
        this.received.push({ ...decodeCommand(frame), body: frame.body });
      });
    }
    return true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.listener?.onClose({ kind: "ended" });
  }
}

/** A broker in memory, sessions over it, and what they logged. */
export class TestWorld {
  readonly broker = new MemoryBroker();
  readonly logged: LogRecord[] = [];
  readonly context: RemotingParts;
  readonly timers: ManualTimers;
  readonly sessions: RemotingSessions;
  #connections = 0;

  constructor(changes: Partial<RemotingSettings> = {}) {
    const { clock } = this.broker;
    this.timers = new ManualTimers(clock);
    this.context = {
      broker: this.broker,
      timers: this.timers,
      settings: { ...settings, ...changes },
      clock,
      log: createLog({ sink: (record) => this.logged.push(record), wallMs: () => clock.wallMs() }),
      bootMs: clock.wallMs(),
    };
    this.sessions = new RemotingSessions(this.context);
  }

  /** Connects a client. Connections count from 1. */
  connect(): TestClient {
    const connection = new FakeConnection();
    this.sessions.accept(++this.#connections, connection);
    return new TestClient(connection);
  }
}

/** One client. */
export class TestClient {
  readonly connection: FakeConnection;
  #opaque = 100;

  constructor(connection: FakeConnection) {
    this.connection = connection;
  }

  /** Writes a request and gives its opaque. */
  post(code: number, extFields: Record<string, string>, options: CallOptions = {}): number {
    const opaque = this.#opaque++;
    const command: RemotingCommand = {
      code,
      language: "JAVA",
      version: options.version ?? 479,
      opaque,
      flag: options.oneway === true ? 2 : 0,
      remark: undefined,
      extFields,
      serializer: options.serializer ?? "json",
    };
    for (const piece of encodeCommand(command, options.body)) this.feed(piece);
    return opaque;
  }

  /** Writes the answer to a request of the broker. */
  answer(opaque: number, code: number): void {
    const command: RemotingCommand = {
      ...{ code, language: "JAVA", version: 479, opaque, flag: 1, remark: undefined },
      ...{ extFields: {}, serializer: "json" },
    };
    for (const piece of encodeCommand(command)) this.feed(piece);
  }

  /** Writes bytes as they are. */
  feed(bytes: Uint8Array): void {
    this.connection.listener?.onData(bytes);
  }

  /** The answer to an opaque, if it has come. */
  answerTo(opaque: number): Received | undefined {
    return this.connection.received.find((each) => each.opaque === opaque && each.flag === 1);
  }

  /** Writes a request and waits for its answer. */
  async call(
    code: number,
    extFields: Record<string, string> = {},
    options: CallOptions = {},
  ): Promise<Received> {
    const opaque = this.post(code, extFields, options);
    await settled(() => this.answerTo(opaque) !== undefined);
    const answer = this.answerTo(opaque);
    assert.ok(answer, `request ${code} was answered`);
    return answer;
  }
}

/** Lets promises run until `isDone`, or nothing can happen any more. */
export async function settled(isDone: () => boolean = () => false): Promise<void> {
  for (let hop = 0; hop < 200 && !isDone(); hop++) await Promise.resolve();
}
