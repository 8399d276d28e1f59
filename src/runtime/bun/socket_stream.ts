/** A socket of Bun's as a stream, for `node:tls` to speak over. @module */
import { Duplex } from "node:stream";
import type { BunSocket } from "./socket_types.ts";

type Done = (error?: Error | null) => void;

/** Carries bytes between a socket and whoever reads and writes the stream. */
export class SocketStream {
  readonly stream: Duplex;
  readonly #socket: Pick<
    BunSocket<unknown>,
    "write" | "pause" | "resume" | "shutdown" | "close"
  >;
  /** The one write that is under way: what is left of it, and whom to tell. */
  #unsent: { readonly bytes: Uint8Array; readonly done: Done } | null = null;
  #gone = false;

  constructor(socket: BunSocket<unknown>) {
    this.#socket = socket;
    this.stream = new Duplex({
      allowHalfOpen: false,
      read: () => this.#whileOpen(() => socket.resume()),
      write: (bytes: Uint8Array, _encoding, done) => this.#send(bytes, done),
      final: (done) => {
        this.#whileOpen(() => socket.shutdown());
        done();
      },
      destroy: (error, done) => {
        this.#whileOpen(() => socket.close());
        done(error);
      },
    });
  }

  /** Bytes came. */
  heard(chunk: Uint8Array): void {
    if (!this.stream.push(chunk) && !this.#gone) this.#socket.pause();
  }

  /** The kernel has room again. */
  drained(): void {
    const unsent = this.#unsent;
    if (unsent === null) return;
    this.#unsent = null;
    this.#send(unsent.bytes, unsent.done);
  }

  /** The peer says no more. */
  peerEnded(): void {
    this.stream.push(null);
  }

  /** The socket is gone. */
  lose(error: Error | null): void {
    this.#gone = true;
    this.stream.destroy(error ?? undefined);
  }

  #whileOpen(act: () => void): void {
    if (!this.#gone) act();
  }

  #send(bytes: Uint8Array, done: Done): void {
    if (this.#gone) return done(new Error("Cannot write: the connection is gone"));
    const sent = Math.max(0, this.#socket.write(bytes));
    if (sent === bytes.length) done();
    else this.#unsent = { bytes: bytes.subarray(sent), done };
  }
}
