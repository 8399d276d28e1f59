/**
 * Asks a broker or name server over RocketMQ's protocol. One connection, dialled when first needed
 * and again after it was lost; requests are answered in any order.
 *
 * @module
 */
import type { Socket } from "node:net";
import { ByteWriter, utf8 } from "../../base/bytes.ts";
import { WireError } from "../../model/errors.ts";
import type { Host } from "../../ports/host.ts";
import { aclFields, signatureOf } from "../../protocol/remoting/acl_signature.ts";
import { requestName, responseCodes } from "../../protocol/remoting/codes.ts";
import {
  type ExtFields,
  isResponse,
  ownVersion,
  type RemotingCommand,
} from "../../protocol/remoting/command.ts";
import { decodeCommand, writeCommand } from "../../protocol/remoting/command_frames.ts";
import { FrameDecoder, type Serializer } from "../../protocol/remoting/frames.ts";
import { type Address, listen, openSocket } from "../bench/sockets.ts";
import { RefusedError, UnreachableError } from "../failure.ts";
import { secured, type Trust } from "./trust.ts";

/** How often requests without an answer are looked at. */
const lateEveryMs = 250;
/** Opaques are int32: they begin again long before. */
const opaqueRange = 2 ** 30;

/** One question. */
export type RemotingRequest = {
  readonly code: number;
  readonly fields?: ExtFields;
  readonly body?: Uint8Array;
};

/** One answer, whatever its code. `body` is the receiver's own. */
export type RemotingAnswer = {
  readonly code: number;
  readonly remark: string | undefined;
  readonly fields: ExtFields;
  readonly body: Uint8Array;
};

/** The access key of a broker that checks signatures. */
export type Credentials = { readonly accessKey: string; readonly secretKey: string };

/** What a client needs from outside. */
export type RemotingParts = {
  readonly host: Pick<Host, "clock" | "every">;
  /**
   * How long a peer that owes answers may be silent; then the connection is given up. A slow one
   * that works through a thousand sends is not.
   */
  readonly timeoutMs: number;
  readonly serializer: Serializer;
  readonly credentials?: Credentials;
  /** Speaks TLS. Absent: plain. */
  readonly trust?: Trust | undefined;
  /** What to try when nobody answers there. */
  readonly hint?: string;
  /** What to try when somebody is there and closes the connection without a word. */
  readonly hintWhenClosed?: string;
};

type Waiting = {
  readonly what: string;
  readonly askedMs: number;
  resolve(answer: RemotingAnswer): void;
  reject(error: Error): void;
};

/** `host:port` for messages and routes. */
export function addressText({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** One peer. Close it, or the process does not end. */
export class RemotingClient {
  readonly address: Address;
  readonly #parts: RemotingParts;
  #link: Promise<Link> | undefined;
  #live: Link | undefined;

  constructor(address: Address, parts: RemotingParts) {
    this.address = address;
    this.#parts = parts;
  }

  /**
   * Asks, and takes success or one of `accepted` for an answer.
   *
   * @throws {RefusedError} The peer answered with another code.
   * @throws {UnreachableError} It did not answer.
   */
  async ask(request: RemotingRequest, ...accepted: readonly number[]): Promise<RemotingAnswer> {
    const [answer] = await this.askAll([request]);
    if (answer === undefined) throw new Error("Cannot ask: no answer belongs to the request");
    if (answer.code === responseCodes.success || accepted.includes(answer.code)) return answer;
    throw refusalOf(answer, requestName(request.code), this.address);
  }

  /**
   * Asks several things in one write, so that the peer reads them in this order. The answers stand
   * in the order of the requests, whatever their codes.
   *
   * @throws {UnreachableError} The connection was lost: any of them may have been carried out.
   */
  async askAll(requests: readonly RemotingRequest[]): Promise<RemotingAnswer[]> {
    const link = await this.#connected();
    return await link.askAll(requests);
  }

  /** Gives the connection up. A later request dials again. */
  close(): void {
    this.#live?.end("the connection was closed");
    this.#link = undefined;
  }

  #connected(): Promise<Link> {
    if (this.#link !== undefined && this.#live?.isOver !== true) return this.#link;
    this.#live = undefined;
    const dialled = dial(this.address, this.#parts).then((socket) => {
      const link = new Link(socket, this.address, this.#parts);
      this.#live = link;
      return link;
    });
    this.#link = dialled;
    dialled.catch(() => {
      if (this.#link === dialled) this.#link = undefined;
    });
    return dialled;
  }
}

/** Connects, within the time an answer may take. */
function dial(address: Address, parts: RemotingParts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let open: Socket | undefined;
    let isLate = false;
    const endWatch = parts.host.every(parts.timeoutMs, () => {
      isLate = true;
      endWatch();
      open?.destroy();
      const message = `${addressText(address)} did not accept within ${parts.timeoutMs} ms`;
      reject(unreachable(message, false, parts));
    });
    openSocket(address).then((socket) => {
      open = socket;
      return parts.trust === undefined ? socket : secured(socket, address, parts.trust);
    }).then((socket) => {
      endWatch();
      if (isLate) socket.destroy();
      else resolve(socket);
    }).catch((thrown: Error) => {
      endWatch();
      const hasHint = thrown instanceof UnreachableError && thrown.hint !== undefined;
      reject(hasHint ? thrown : unreachable(thrown.message, false, parts));
    });
  });
}

function unreachable(message: string, reached: boolean, { hint }: Pick<RemotingParts, "hint">) {
  return new UnreachableError(message, reached, hint === undefined ? {} : { hint });
}

/** What a peer refused, as commands tell it. Busy peers are asked again. */
export function refusalOf(answer: RemotingAnswer, what: string, address: Address): RefusedError {
  const { code, remark } = answer;
  const where = addressText(address);
  const told = remark === undefined || remark === "" ? "without a remark" : remark.slice(0, 300);
  const message = `${where} refused ${what} with code ${code}: ${told}`;
  return new RefusedError(`remoting_${code}`, message, retriableCodes.has(code));
}

const retriableCodes: ReadonlySet<number> = new Set([
  responseCodes.systemBusy,
  responseCodes.serviceNotAvailable,
  responseCodes.pullRetryImmediately,
  responseCodes.flowControl,
  responseCodes.goAway,
]);

/** One connection, from its first byte to its end. */
class Link {
  readonly #socket: Socket;
  readonly #address: Address;
  readonly #parts: RemotingParts;
  readonly #decoder = new FrameDecoder();
  readonly #waiting = new Map<number, Waiting>();
  readonly #endWatch: () => void;
  #opaque = 0;
  #hasHeard = false;
  #heardMs = 0;
  #fault: Error | undefined;

  constructor(socket: Socket, address: Address, parts: RemotingParts) {
    this.#socket = socket;
    this.#address = address;
    this.#parts = parts;
    this.#endWatch = parts.host.every(lateEveryMs, () => this.#lookForLate());
    listen(socket, {
      onData: (chunk) => this.#read(chunk),
      onEnd: (reason) => this.end(reason),
    });
  }

  get isOver(): boolean {
    return this.#fault !== undefined;
  }

  askAll(requests: readonly RemotingRequest[]): Promise<RemotingAnswer[]> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    const writer = new ByteWriter(4096);
    const askedMs = this.#parts.host.clock.monotonicMs();
    const answers = requests.map((request) => {
      const opaque = this.#opaque = (this.#opaque + 1) % opaqueRange;
      writeCommand(writer, this.#commandOf(request, opaque), request.body);
      return new Promise<RemotingAnswer>((resolve, reject) => {
        const what = requestName(request.code);
        this.#waiting.set(opaque, { what, askedMs, resolve, reject });
      });
    });
    this.#socket.write(writer.view());
    return Promise.all(answers);
  }

  /** Ends the connection; whoever waits is told why. */
  end(reason: string): void {
    const where = addressText(this.#address);
    const { hint, hintWhenClosed = hint } = this.#parts;
    const next = this.#hasHeard ? hint : hintWhenClosed;
    const message = `The connection to ${where} ended: ${reason}`;
    this.#fail(unreachable(message, true, next === undefined ? {} : { hint: next }));
  }

  #commandOf(request: RemotingRequest, opaque: number): RemotingCommand {
    return {
      code: request.code,
      language: "JAVA",
      version: ownVersion,
      opaque,
      flag: 0,
      remark: undefined,
      extFields: this.#signed(request),
      serializer: this.#parts.serializer,
    };
  }

  #signed({ fields = {}, body = emptyBody }: RemotingRequest): ExtFields {
    const { credentials } = this.#parts;
    if (credentials === undefined) return fields;
    const extFields = { ...fields, [aclFields.accessKey]: credentials.accessKey };
    const signature = signatureOf(credentials.secretKey, { version: ownVersion, extFields, body });
    return { ...extFields, [aclFields.signature]: signature };
  }

  #read(chunk: Uint8Array): void {
    this.#hasHeard = true;
    this.#heardMs = this.#parts.host.clock.monotonicMs();
    try {
      this.#decoder.push(chunk, (frame) => {
        const command = decodeCommand(frame);
        // What a broker asks of its clients is none of ours.
        if (!isResponse(command)) return;
        const waiting = this.#waiting.get(command.opaque);
        this.#waiting.delete(command.opaque);
        const { code, remark, extFields: fields } = command;
        waiting?.resolve({ code, remark, fields, body: frame.body.slice() });
      });
    } catch (thrown) {
      if (!(thrown instanceof WireError)) throw thrown;
      const where = addressText(this.#address);
      const message = `${where} does not speak RocketMQ's protocol: ${thrown.message}`;
      this.#fail(new RefusedError("not_rocketmq", message, false));
    }
  }

  #lookForLate(): void {
    const { host, timeoutMs } = this.#parts;
    // The first one is the oldest: none waits longer than it.
    const [first] = this.#waiting.values();
    if (first === undefined) return;
    const silentMs = host.clock.monotonicMs() - Math.max(first.askedMs, this.#heardMs);
    if (silentMs < timeoutMs) return;
    const where = addressText(this.#address);
    const message = `${where} did not answer ${first.what} within ${timeoutMs} ms`;
    this.#fail(unreachable(message, true, this.#parts));
  }

  #fail(error: Error): void {
    if (this.#fault !== undefined) return;
    this.#fault = error;
    this.#endWatch();
    this.#socket.destroy();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

const emptyBody = utf8("");
