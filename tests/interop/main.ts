/**
 * Proves a broker with the official clients: `deno task interop`, or the same under Bun.
 *
 *     main.ts [--namesrv host:port] [--namesrv-strict host:port] [--only text]
 *
 * Without `--namesrv` it starts Curlew, once with automatic topics and once without. An outside
 * broker that makes topics is `--namesrv`, one that refuses to is `--namesrv-strict`. At the end it
 * proves `curlew import` with Apache RocketMQ as the source. A program whose client, or RocketMQ,
 * cannot run on this machine is skipped aloud. The last line counts.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Broker, outsideBroker, startCurlew } from "./brokers.ts";
import { isInstalled } from "./children.ts";
import { buildGo } from "./go_build.ts";
import { buildJava } from "./java_build.ts";
import { type Client, type Program, programs } from "./programs.ts";
import { type ImportSource, importSources, nameOf, proveImport } from "./rocketmq/import_proof.ts";
import { missingForServer } from "./rocketmq/server.ts";
import { runSteps } from "./steps.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
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
  for (const client of ["client-5", "client-4", "example"] as const) {
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
  const fault = await runSteps(program, { say, root, broker, run: startedMs.toString(36), home });
  if (fault !== undefined) {
    say(`FAILED ${program.name} (${fault.step.client} ${fault.step.main}, ${fault.reason})`);
    say(fault.output.replace(/^/gm, "  | "));
    return "failed";
  }
  say(`passed  ${program.name} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  return "passed";
}

/** Imports have both brokers of their own: with one from outside there is nothing to be tried. */
async function runImportProof(
  source: ImportSource,
  { namesrv, strict }: Options,
): Promise<Outcome> {
  const isOutside = namesrv !== undefined || strict !== undefined;
  const missing = isOutside ? "it takes no broker that was given" : await missingForServer();
  if (missing !== undefined) {
    say(`SKIPPED ${nameOf(source)}: ${missing}`);
    return "skipped";
  }
  const startedMs = Date.now();
  // What it tells is of use when it fails.
  const told: string[] = [];
  try {
    await proveImport(source, (text) => told.push(text));
  } catch (thrown) {
    say(told.join("\n").replace(/^/gm, "  | "));
    throw thrown;
  }
  say(`passed  ${nameOf(source)} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  return "passed";
}

/** A program whose broker or topic could not be had has failed; the others still run. */
async function outcomeOf(name: string, run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    say(`FAILED ${name}: ${messageOf(error)}`);
    return "failed";
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const chosen = programs.filter((program) =>
    options.only === "" ? !program.onlyByName : program.name.includes(options.only)
  );
  const counts: Record<Outcome, number> = { passed: 0, failed: 0, skipped: 0 };
  const brokers = new Brokers(options);
  const home = await mkdtemp(join(tmpdir(), "curlew-interop-home-"));
  try {
    const missing = await findMissing(chosen);
    for (const program of chosen) {
      const run = () => runProgram(program, missing, brokers, home);
      counts[await outcomeOf(program.name, run)]++;
    }
    for (const source of importSources.filter((each) => nameOf(each).includes(options.only))) {
      counts[await outcomeOf(nameOf(source), () => runImportProof(source, options))]++;
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
