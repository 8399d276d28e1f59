/**
 * Proves a broker with the official clients: `deno task interop`, or the same under Bun.
 *
 *     main.ts [--namesrv host:port] [--namesrv-strict host:port] [--only text]
 *
 * Without `--namesrv` it starts Curlew, once with automatic topics and once without. An outside
 * broker that makes topics is `--namesrv`, one that refuses to is `--namesrv-strict`. A program
 * whose client cannot run on this machine is skipped aloud. The last line counts.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Broker, outsideBroker, startCurlew } from "./brokers.ts";
import { isInstalled, runChild } from "./children.ts";
import { buildGo, goCommand } from "./go_build.ts";
import { buildJava, javaWords, makeUserHome } from "./java_build.ts";
import { type Client, type Program, programs, type Step } from "./programs.ts";
import { createTopic } from "./topics.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Past every program's own deadline: this one is for a process that cannot even tell. */
const stepTimeoutMs = 200_000;
const aliOnsTopics = ["ali_shared", "ali_broadcast", "ali_retried"] as const;
const autoCreateSetting = "--auto-create-topics";

type Outcome = "passed" | "failed" | "skipped";
type Options = { namesrv?: string; strict?: string; only: string };

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function readOptions(words: readonly string[]): Options {
  const options: Options = { only: "" };
  for (let at = 0; at < words.length; at += 2) {
    const value = words[at + 1];
    if (value === undefined) throw new Error(`Cannot start: ${words[at]} has no value`);
    if (words[at] === "--namesrv") options.namesrv = value;
    else if (words[at] === "--namesrv-strict") options.strict = value;
    else if (words[at] === "--only") options.only = value;
    else throw new Error(`Cannot start: unknown option ${words[at]}`);
  }
  return options;
}

/** Why a client's programs cannot be run on this machine, for those that cannot. */
async function findMissing(chosen: readonly Program[]): Promise<Map<Client, string>> {
  const missing = new Map<Client, string>();
  const wanted = new Set(chosen.flatMap((program) => program.steps.map((each) => each.client)));
  if (!(await isInstalled("node", "--version"))) missing.set("ali-ons", "node is absent");
  if (!(await isInstalled("go", "version"))) missing.set("client-go", "go is absent");
  else if (wanted.has("client-go")) await buildGo(root);
  const [hasJava, hasMaven] = [
    await isInstalled("java", "-version"),
    await isInstalled("mvn", "-v"),
  ];
  for (const client of ["client-5", "client-4"] as const) {
    if (!hasJava) missing.set(client, "java is absent");
    else if (!hasMaven) missing.set(client, "mvn is absent");
    else if (wanted.has(client)) await buildJava(root, client);
  }
  return missing;
}

/**
 * The broker a program wants, started when first wanted. `undefined`: there is none of the kind.
 */
class Brokers {
  readonly #options: Options;
  /** Promises, so that a broker that cannot start fails its programs without being tried again. */
  readonly #started = new Map<boolean, Promise<Broker>>();

  constructor(options: Options) {
    this.#options = options;
  }

  withAutoCreate(autoCreate: boolean): Promise<Broker | undefined> {
    const { namesrv, strict } = this.#options;
    if (namesrv !== undefined || strict !== undefined) {
      const address = autoCreate ? namesrv : strict;
      return Promise.resolve(address === undefined ? undefined : outsideBroker(address));
    }
    const started = this.#started.get(autoCreate) ??
      startCurlew([autoCreateSetting, `${autoCreate}`]);
    this.#started.set(autoCreate, started);
    return started;
  }

  async stop(): Promise<void> {
    for (const ended of await Promise.allSettled(this.#started.values())) {
      if (ended.status === "fulfilled") await ended.value.stop();
    }
  }
}

async function commandOf(asked: Step, broker: Broker, run: string, home: string) {
  const step = filledIn(asked, broker);
  const where = ["--namesrv", broker.nameServer, "--run", run];
  const http = broker.http === undefined ? [] : ["--http", broker.http];
  if (step.client === "client-go") {
    const { command, words } = goCommand(root, step.main);
    return { command, words: [...words, ...where, ...http, ...step.words] };
  }
  if (step.client === "ali-ons") {
    const topics = aliOnsTopics.map((topic) => `${topic}_${run}`);
    for (const topic of topics) await createTopic(broker, topic, 4);
    const script = join(root, "tests", "interop", step.main);
    return {
      command: "node",
      words: [script, ...where, "--topics", topics.join(","), ...step.words],
    };
  }
  const userHome = await makeUserHome(home, `${run}-${step.client}`);
  const words = javaWords(root, step.client, step.main, step.properties, userHome);
  return { command: "java", words: [...words, ...where, ...http, ...step.words] };
}

/** A step that names the HTTP front, for a broker that has one. */
function filledIn(step: Step, { http = "" }: Broker): Step {
  const fill = (text: string) => text.replace("{http}", http.replace(/^http:\/\//, ""));
  return { ...step, words: step.words.map(fill), properties: step.properties.map(fill) };
}

async function runProgram(
  program: Program,
  missing: ReadonlyMap<Client, string>,
  brokers: Brokers,
  home: string,
): Promise<Outcome> {
  for (const { client } of program.steps) {
    const reason = missing.get(client);
    if (reason === undefined) continue;
    say(`SKIPPED ${program.name}: ${reason}`);
    return "skipped";
  }
  const broker = await brokers.withAutoCreate(program.autoCreate);
  if (broker === undefined) {
    say(`SKIPPED ${program.name}: no broker with automatic topics ${program.autoCreate} was given`);
    return "skipped";
  }
  const startedMs = Date.now();
  const run = `${startedMs.toString(36)}`;
  for (const step of program.steps) {
    const command = await commandOf(step, broker, run, home);
    // Some tools write files where they stand: that is not to be the repository.
    const end = await runChild({ ...command, cwd: home, timeoutMs: stepTimeoutMs });
    if (end.status === 0 && /^OK \w+$/m.test(end.output)) continue;
    say(`FAILED ${program.name} (${step.client} ${step.main}, status ${end.status})`);
    say(end.output.replace(/^/gm, "  | "));
    return "failed";
  }
  say(`passed  ${program.name} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  return "passed";
}

/** A program whose broker or topic could not be had has failed; the others still run. */
async function outcomeOf(program: Program, run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    say(`FAILED ${program.name}: ${messageOf(error)}`);
    return "failed";
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const chosen = programs.filter((program) => program.name.includes(options.only));
  const counts: Record<Outcome, number> = { passed: 0, failed: 0, skipped: 0 };
  const brokers = new Brokers(options);
  const home = await mkdtemp(join(tmpdir(), "curlew-interop-home-"));
  try {
    const missing = await findMissing(chosen);
    for (const program of chosen) {
      counts[await outcomeOf(program, () => runProgram(program, missing, brokers, home))]++;
    }
  } catch (error) {
    say(`FAILED before any program: ${messageOf(error)}`);
    counts.failed++;
  } finally {
    await brokers.stop();
    await rm(home, { recursive: true, force: true });
  }
  say(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}

await main();
