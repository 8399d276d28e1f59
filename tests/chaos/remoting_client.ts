/**
 * A RocketMQ producer of bytes: sends with V2 headers over one socket, some in flight at once.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { utf8 } from "../../src/base/bytes.ts";
import { decodeCommand, encodeCommand } from "../../src/protocol/remoting/command_frames.ts";
import { FrameDecoder } from "../../src/protocol/remoting/frames.ts";

const sendMessageV2 = 310;
const answerTimeoutMs = 10_000;

/** What the broker answered to a send. */
export type SendAnswer = {
  readonly code: number;
  readonly remark: string | undefined;
  readonly queueId: number;
  readonly offset: number;
};

type Waiting = { resolve(answer: SendAnswer): void; reject(error: Error): void };

/** One connection. The owner bounds how many sends wait. */
export class RemotingClient {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #waiting = new Map<number, Waiting>();
  #opaque = 0;
  #failure: Error | null = null;

  /** Takes over a connected socket: `connect` makes one. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the broker closed the connection")));
  }

  /** Rejects when nobody accepts. */
  static connect(port: number): Promise<RemotingClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RemotingClient(socket));
      });
    });
  }

  /** Sends one message; rejects when the connection ends, or no answer comes in time. */
  send(topic: string, queueId: number, body: string): Promise<SendAnswer> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const opaque = ++this.#opaque;
    const pieces = encodeCommand({
      code: sendMessageV2,
      language: "JAVA",
      version: 479,
      opaque,
      flag: 0,
      remark: undefined,
      serializer: opaque % 2 === 0 ? "json" : "binary",
      extFields: sendFields(topic, queueId),
    }, utf8(body));
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => this.#fail(new Error(`no answer to a send in ${answerTimeoutMs} ms`)),
        answerTimeoutMs,
      );
      const settle = () => {
        clearTimeout(late);
        this.#waiting.delete(opaque);
      };
      this.#waiting.set(opaque, {
        resolve: (answer) => (settle(), resolve(answer)),
        reject: (error) => (settle(), reject(error)),
      });
      for (const piece of pieces) this.#socket.write(piece);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array): void {
    // The decoder hands out views; node may use a chunk's memory again.
    this.#decoder.push(chunk, (frame) => {
      const { opaque, code, remark, extFields } = decodeCommand(frame);
      const [queueId, offset] = [Number(extFields["queueId"]), Number(extFields["queueOffset"])];
      this.#waiting.get(opaque)?.resolve({ code, remark, queueId, offset });
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    for (const { reject } of [...this.#waiting.values()]) reject(error);
  }
}

function sendFields(topic: string, queueId: number): Record<string, string> {
  return {
    a: "chaos",
    b: topic,
    c: "TBW102",
    d: "4",
    e: String(queueId),
    f: "0",
    g: String(Date.now()),
    h: "0",
    i: "WAIT\u0001true\u0002",
    j: "0",
    k: "false",
    m: "false",
  };
}
