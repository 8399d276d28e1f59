/**
 * Redis as a peer: streams, with an append-only file that is synced before every answer
 * (`appendfsync always`; one fsync for all that one round of its loop has read).
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { connect } from "node:net";
import { arch } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isInstalled, runChild } from "../../tests/interop/children.ts";
import { spawnHere, stopChild } from "../../tests/support/broker_process.ts";
import { freePort } from "../../tests/support/free_ports.ts";
import type { Peer } from "./peer.ts";

const fetched = fileURLToPath(new URL("./redis/target/", import.meta.url));
/** Redis as Debian packs it, and the libraries that a machine without it lacks. */
const packages = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1"] as const;
const fetchTimeoutMs = 120_000;
const startTimeoutMs = 10_000;

/** Redis Streams: from the PATH, or out of Debian's packages without installing them. */
export function redisPeer(): Peer {
  return {
    name: "Redis Streams",
    answers: "after fsync",
    speaks: "redis",
    missing: fetchRedis,
    start: startRedis,
  };
}

async function fetchRedis(): Promise<string | undefined> {
  if (await isInstalled("redis-server", "--version")) return undefined;
  if (existsSync(fetchedServer())) return undefined;
  if (!(await isInstalled("apt-get", "--version"))) return "redis-server is not on the PATH";
  await mkdir(fetched, { recursive: true });
  const here = { cwd: fetched, timeoutMs: fetchTimeoutMs };
  const words = ["download", ...packages];
  const download = await runChild({ ...here, command: "apt-get", words });
  if (download.status !== 0) return `redis-server cannot be fetched: ${download.output}`;
  for (const file of await readdir(fetched)) {
    if (!file.endsWith(".deb")) continue;
    const unpack = await runChild({ ...here, command: "dpkg", words: ["-x", file, "root"] });
    if (unpack.status !== 0) return `${file} cannot be unpacked: ${unpack.output}`;
  }
  return existsSync(fetchedServer()) ? undefined : "Debian's packages hold no redis-server";
}

async function startRedis(directory: string) {
  const port = await freePort();
  await mkdir(directory, { recursive: true });
  const settings = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  const where = ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", directory];
  const server = existsSync(fetchedServer()) ? fetchedWords() : ["redis-server"];
  const { child, ended, log } = spawnHere([...server, ...settings, ...where], "ignore");
  child.stdout?.resume();
  const stop = async () => void await stopChild(child, ended);
  const deadlineMs = performance.now() + startTimeoutMs;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      await stop();
      throw new Error(`Cannot start redis-server: it does not listen\n${log()}`);
    }
  }
  return { address: { host: "127.0.0.1", port }, stop };
}

/** Tries once, and waits a little when nobody accepts. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => setTimeout(() => resolve(false), 50));
  });
}

function fetchedServer(): string {
  return join(fetched, "root", "usr", "bin", "redis-server");
}

/** `env` finds the fetched libraries without touching this process's own. */
function fetchedWords(): string[] {
  const triplet = `${arch() === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  const libraries = join(fetched, "root", "usr", "lib", triplet);
  const others = process.env["LD_LIBRARY_PATH"];
  const path = others === undefined ? libraries : `${libraries}:${others}`;
  return ["env", `LD_LIBRARY_PATH=${path}`, fetchedServer()];
}
