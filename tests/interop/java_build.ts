/**
 * Builds the Java programs once, and says how one of them is run.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { runChild } from "./children.ts";

const buildTimeoutMs = 10 * 60_000;
const heap = "-Xmx256m";
const programPackage = "curlew.interop";
/** Where RocketMQ's benchmark programs are. */
export const benchmarkPackage = "org.apache.rocketmq.example.benchmark";

/** The Maven profiles that compile the one source tree. */
export type JavaClient = "client-5" | "client-4" | "example";

/**
 * Compiles a profile unless its classes are newer than every source. Tries without the network
 * first, because what was resolved once need not be asked for again.
 *
 * @throws {Error} Maven failed; the message carries what it said.
 */
export async function buildJava(root: string, client: JavaClient): Promise<void> {
  const home = javaHome(root);
  const stamp = join(home, "target", client, "classes", "curlew", "interop", "Program.class");
  if (existsSync(stamp) && (await newestMs(home)) <= (await stat(stamp)).mtimeMs) return;
  await rm(join(home, "target", client, "classes"), { recursive: true, force: true });
  const words = ["-q", "-B", "-P", client, "compile"];
  const offline = await maven(home, ["-o", ...words]);
  if (offline.status === 0) return;
  const online = await maven(home, words);
  if (online.status !== 0) throw new Error(`Cannot build ${client}:\n${online.output}`);
}

/** The words after `java` that run a main class. Logs and local offsets go below `userHome`. */
export function javaWords(
  root: string,
  client: JavaClient,
  main: string,
  properties: readonly string[],
  userHome: string,
): string[] {
  const classes = join(javaHome(root), "target", client, "classes");
  const classPath = [classes, libraryOf(root, client)].join(delimiter);
  return [
    heap,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    `-Duser.home=${userHome}`,
    ...properties.map((property) => `-D${property}`),
    "-cp",
    classPath,
    `${client === "example" ? benchmarkPackage : programPackage}.${main}`,
  ];
}

/** The jars of a profile that was built, as a class path. */
export function libraryOf(root: string, client: JavaClient): string {
  return join(javaHome(root), "target", client, "lib", "*");
}

/** A new, empty home for one Java process. */
export async function makeUserHome(parent: string, name: string): Promise<string> {
  const home = join(parent, name.replace(/\W+/g, "-"));
  await mkdir(home, { recursive: true });
  return home;
}

function javaHome(root: string): string {
  return join(root, "tests", "interop", "java");
}

function maven(cwd: string, words: readonly string[]) {
  return runChild({ command: "mvn", words, cwd, timeoutMs: buildTimeoutMs });
}

async function newestMs(home: string): Promise<number> {
  const files = (await readdir(join(home, "src"), { recursive: true }))
    .filter((name) => name.endsWith(".java"))
    .map((name) => join(home, "src", name));
  const times = await Promise.all([...files, join(home, "pom.xml")].map((file) => stat(file)));
  return Math.max(...times.map((each) => each.mtimeMs));
}
