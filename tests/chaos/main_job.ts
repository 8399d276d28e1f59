/**
 * The main job: a text streams through `curlew message send --stdin` to three consumers of one
 * group, while the broker is killed and started again. The union of what they got is the text.
 *
 *     text ─▶ message send --stdin ─▶ broker (SIGKILL × 5) ─▶ 3 × message receive --follow --ack
 *
 * Lines are told apart by their message ids, so that no lost empty line is covered by another.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askWell } from "../support/broker_api.ts";
import {
  type BrokerProcess,
  type Ended,
  runWords,
  signalTo,
  spawnHere,
  startBroker,
} from "../support/broker_process.ts";
import { until } from "../support/until.ts";
import { inputLines } from "./input_text.ts";

const consumersCount = 3;
const queues = 6;
const chunkLines = 500;
const stepTimeoutMs = 180_000;
/** Short, so that what a killed broker had handed out comes back within the run. */
const invisibleMs = 5_000;

/** How large, and how rough. */
export type MainJobOptions = {
  readonly seed: number;
  readonly lines: number;
  readonly restarts: number;
};

type Child = { readonly child: ChildProcess; ended: Promise<Ended>; log: () => string };
type Consumer = Child & { readonly path: string; readonly file: WriteStream; lines: number };

/** Runs it. Answers its figures. */
export async function mainJob({ seed, lines: count, restarts }: MainJobOptions): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "curlew-main-job-"));
  const children: Child[] = [];
  let broker = await startBroker({ data: join(folder, "data") });
  try {
    await askWell(broker.http, "PUT /v1/topics/lines", { queues });
    await askWell(broker.http, "PUT /v1/groups/copy", {});
    const text = inputLines(seed, count);
    const beganMs = performance.now();
    const consumers = Array.from(
      { length: consumersCount },
      (_, at) => consume(broker, folder, at),
    );
    const sender = send(broker);
    children.push(sender, ...consumers);
    const result = resultOf(sender);
    let fed = 0;
    const feeding = feed(sender.child, text, (lines) => fed = lines);
    for (let restart = 1; restart <= restarts; restart++) {
      const mark = 2 * count * restart / (restarts + 1);
      const received = () => consumers.reduce((sum, { lines }) => sum + lines, 0);
      await until(`${mark} lines sent and received`, stepTimeoutMs, () => fed + received() >= mark);
      broker = await killAndStart(broker, join(folder, "data"));
    }
    await feeding;
    const sent = await result;
    const sendMs = performance.now() - beganMs;
    const acked = sent["sent"];
    assert.equal(acked, count, `the sender says ${JSON.stringify(sent)}`);
    const got = await collect(consumers, text);
    const seconds = (performance.now() - beganMs) / 1000;
    const rate = Math.round(count / seconds);
    return `acked ${acked}, duplicates ${got.duplicates} (resent ${sent["resent"]}), ` +
      `restarts ${restarts}, ${seconds.toFixed(1)} s, ${rate} lines/s ` +
      `(sending took ${(sendMs / 1000).toFixed(1)} s); the union equals the input`;
  } finally {
    for (const { child } of children) signalTo(child, "SIGKILL");
    broker.kill("SIGKILL");
    await Promise.all([broker.ended, ...children.map(({ ended }) => ended)]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function killAndStart(broker: BrokerProcess, data: string): Promise<BrokerProcess> {
  const { httpPort, remotingPort } = broker;
  broker.kill("SIGKILL");
  await broker.ended;
  return await startBroker({ data, httpPort, remotingPort });
}

function send({ http }: BrokerProcess): Child {
  const words = ["message", "send", "-t", "lines", "--stdin", "--json", "--url", http];
  return spawnHere([...runWords("src/cli/main.ts"), ...words], "pipe");
}

/** Writes the text as the pipe takes it, so that it is still on its way when the broker dies. */
async function feed(
  child: ChildProcess,
  text: readonly string[],
  onFed: (lines: number) => void,
): Promise<void> {
  const { stdin } = child;
  assert.ok(stdin, "the sender has a standard input");
  for (let at = 0; at < text.length; at += chunkLines) {
    const lines = text.slice(at, at + chunkLines);
    const isLast = at + chunkLines >= text.length;
    // The last line has no end: it is a line all the same.
    await new Promise<void>((resolve, reject) => {
      stdin.write(
        lines.join("\n") + (isLast ? "" : "\n"),
        (error) => error ? reject(error) : resolve(),
      );
    });
    onFed(at + lines.length);
  }
  stdin.end();
}

/** What a command prints as JSON once it is done. */
async function resultOf({ child, ended, log }: Child): Promise<Record<string, unknown>> {
  let output = "";
  child.stdout?.on("data", (chunk: Uint8Array | string) => output += chunk.toString());
  const { code } = await ended;
  assert.equal(code, 0, `the sender ended with ${code}:\n${log()}`);
  return await until("the sender's last line", 5_000, () => JSON.parse(output));
}

function consume({ http }: BrokerProcess, folder: string, at: number): Consumer {
  const words = ["message", "receive", "-t", "lines", "-g", "copy", "--follow", "--ack", "--json"];
  words.push("--invisible-ms", String(invisibleMs), "--url", http);
  const child = spawnHere([...runWords("src/cli/main.ts"), ...words], "ignore");
  const path = join(folder, `consumer-${at}.jsonl`);
  const consumer: Consumer = { ...child, path, file: createWriteStream(path), lines: 0 };
  child.child.stdout?.on("data", (chunk: Uint8Array) => {
    for (const byte of chunk) if (byte === 0x0a) consumer.lines++;
    consumer.file.write(chunk);
  });
  return consumer;
}

/** Waits until every line is there, ends the consumers, and compares. */
async function collect(
  consumers: readonly Consumer[],
  text: readonly string[],
): Promise<{ duplicates: number }> {
  // A duplicate can stand for a missing line in a count, so the count is only when to look.
  let seen = -1;
  await until("every line at a consumer", stepTimeoutMs, async () => {
    const lines = consumers.reduce((sum, consumer) => sum + consumer.lines, 0);
    if (lines < text.length || lines === seen) return false;
    seen = lines;
    const got = await readAll(consumers);
    return got.bodies.size >= text.length;
  });
  for (const { child } of consumers) signalTo(child, "SIGTERM");
  for (const { ended, file, log } of consumers) {
    const { code, signal } = await ended;
    assert.equal(code, 0, `a consumer ended with ${code ?? signal}:\n${log()}`);
    await new Promise<void>((resolve) => file.end(() => resolve()));
  }
  const { bodies, deliveries } = await readAll(consumers);
  assert.deepEqual(firstDifference([...bodies.values()], text), null);
  return { duplicates: deliveries - bodies.size };
}

/** Messages by id. The last line of a file may be on its way. */
async function readAll(consumers: readonly Consumer[]) {
  const bodies = new Map<string, string>();
  let deliveries = 0;
  for (const { path } of consumers) {
    const lines = (await readFile(path, "utf8")).split("\n");
    lines.pop();
    for (const line of lines) {
      const { messageId, body, bodyBase64 } = JSON.parse(line);
      const text = body ?? new TextDecoder().decode(Uint8Array.from(atob(bodyBase64 ?? ""), code));
      const before = bodies.get(messageId);
      assert.ok(before === undefined || before === text, `${messageId} has two bodies`);
      bodies.set(messageId, text);
      deliveries++;
    }
  }
  return { bodies, deliveries };
}

function code(letter: string): number {
  return letter.charCodeAt(0);
}

/** Compares two bags of lines. */
function firstDifference(found: string[], wanted: readonly string[]): string | null {
  const left = found.sort();
  const right = [...wanted].sort();
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    if (left[at] === right[at]) continue;
    const show = (line: string | undefined) => JSON.stringify(line)?.slice(0, 200);
    return `in order of text, line ${at} is ${show(left[at])}, wanted ${show(right[at])}`;
  }
  return null;
}
