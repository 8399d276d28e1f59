/**
 * A relay that writes down every frame that passes: how `tests/conformance/remoting/fixtures/` came
 * about. Clients dial the relay because it listens where the broker says it is; the broker itself
 * listens on another address of the loopback.
 *
 *     deno task record --out file.jsonl --relay 127.0.0.1:9876=127.0.0.2:9876 [--relay ...]
 *
 * It records until it is sent SIGTERM. One line a frame, in the order in which they passed:
 *
 *     {"connection":1,"to":"127.0.0.1:9876","from":"client","hex":"...","note":"105 opaque 0 JSON"}
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { appendFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { noteOf } from "./frame_note.ts";

const frameBytesMax = 16 * 1024 * 1024;
const framesMax = 5_000;
const bytesMax = 100_000;

type Side = "client" | "broker";
type Address = { host: string; port: number; text: string };
type Relay = { listen: Address; forward: Address };

class Recording {
  readonly #file: string;
  #frames = 0;

  constructor(file: string) {
    this.#file = file;
    writeFileSync(file, "");
  }

  add(connection: number, to: string, from: Side, frame: Buffer): void {
    if (++this.#frames > framesMax) return;
    const hex = frame.subarray(0, bytesMax).toString("hex");
    const line = { connection, to, from, hex, note: noteOf(frame) };
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/** Cuts a stream of bytes into frames, and hands each over once it is whole. */
class Frames {
  #rest = Buffer.alloc(0);
  readonly #take: (frame: Buffer) => void;

  constructor(take: (frame: Buffer) => void) {
    this.#take = take;
  }

  push(chunk: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4) {
      const bytes = this.#rest.readInt32BE(0) + 4;
      if (bytes < 8 || bytes > frameBytesMax) {
        throw new Error(`Cannot record: a frame of ${bytes} bytes`);
      }
      if (this.#rest.length < bytes) return;
      this.#take(this.#rest.subarray(0, bytes));
      this.#rest = this.#rest.subarray(bytes);
    }
  }
}

function addressOf(text: string): Address {
  const [host, port] = text.split(":");
  if (!host || !port) throw new Error(`Cannot read an address: "${text}" is not host:port`);
  return { host, port: Number(port), text };
}

function readWords(words: readonly string[]): { out: string; relays: Relay[] } {
  const relays: Relay[] = [];
  let out = "";
  for (let at = 0; at < words.length; at += 2) {
    const value = words[at + 1] ?? "";
    const [listen, forward] = value.split("=");
    if (words[at] === "--out") out = value;
    else if (words[at] === "--relay" && listen && forward) {
      relays.push({ listen: addressOf(listen), forward: addressOf(forward) });
    } else throw new Error(`Cannot start: ${words[at]} ${value} is not understood`);
  }
  if (out === "" || relays.length === 0) throw new Error("Cannot start: --out and --relay needed");
  return { out, relays };
}

function start(relay: Relay, recording: Recording, nextConnection: () => number): void {
  const server = createServer((client: Socket) => {
    const connection = nextConnection();
    const broker = connect(relay.forward.port, relay.forward.host);
    join(
      client,
      broker,
      new Frames((frame) => {
        recording.add(connection, relay.listen.text, "client", frame);
      }),
    );
    join(
      broker,
      client,
      new Frames((frame) => {
        recording.add(connection, relay.listen.text, "broker", frame);
      }),
    );
  });
  server.listen(relay.listen.port, relay.listen.host, () => {
    process.stdout.write(`recording ${relay.listen.text} to ${relay.forward.text}\n`);
  });
}

function join(from: Socket, to: Socket, frames: Frames): void {
  from.on("data", (chunk: Uint8Array) => {
    frames.push(chunk);
    to.write(chunk);
  });
  from.on("error", () => to.destroy());
  from.on("close", () => to.end());
}

const { out, relays } = readWords(process.argv.slice(2));
const recording = new Recording(out);
let connections = 0;
for (const relay of relays) start(relay, recording, () => ++connections);
process.on("SIGTERM", () => process.exit(0));
