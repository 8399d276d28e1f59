import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askWell } from "../support/broker_api.ts";
import { type BrokerProcess, runWords, spawnHere, startBroker } from "../support/broker_process.ts";
import { clientOf, produce, readAll } from "./source_side.ts";

const bornMs = 1_700_000_000_000;

let folder: string;
let source: BrokerProcess;
let target: BrokerProcess;
/** The source's certificate, which it signed itself. */
let certificate: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "curlew-import-tls-"));
  const settings = ["--shards", "1"];
  const enforcing = [...settings, "--tls-mode", "enforcing"];
  [source, target] = await Promise.all([
    startBroker({ data: join(folder, "source"), settings: enforcing }),
    startBroker({ data: join(folder, "target"), settings }),
  ]);
  certificate = join(folder, "certificate.pem");
  await copyFile(join(folder, "source", "tls-self-signed.pem"), certificate);
  await askWell(source.http, "PUT /v1/topics/secret", { queues: 1 });
  const client = clientOf(source.remotingPort, { kind: "any" });
  await produce(client, "secret", [
    { body: "one", queueId: 0, bornMs },
    { body: "two".repeat(100_000), queueId: 0, bornMs: bornMs + 1 },
  ]);
  client.close();
});

after(async () => {
  await Promise.all([source?.stop(), target?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

async function importFrom(port: number, ...words: readonly string[]) {
  const where = ["--url", target.http, "--work", join(folder, "work")];
  const address = `rocketmq://127.0.0.1:${port}`;
  const command = [...runWords("src/cli/main.ts"), "import", address, ...where, ...words];
  const { child, ended, log } = spawnHere(command, "ignore");
  child.stdout?.resume();
  return { code: (await ended).code, err: log() };
}

test("import copies from a source that speaks TLS only, told what to trust", async () => {
  const preview = await importFrom(source.remotingPort, "--tls", "any", "--preview");
  const run = await importFrom(source.remotingPort, "--tls", certificate, "--verify", "contents");

  assert.equal(preview.code, 0, preview.err);
  assert.equal(run.code, 0, run.err);
  const [from, to] = [
    clientOf(source.remotingPort, { kind: "any" }),
    clientOf(target.remotingPort),
  ];
  try {
    const [wanted, found] = [await readAll(from, "secret", 0), await readAll(to, "secret", 0)];
    assert.equal(found.length, 2);
    assert.deepEqual(found.map(({ body }) => body), wanted.map(({ body }) => body));
  } finally {
    from.close();
    to.close();
  }
});

test("import says what to do where TLS is wanted, or not spoken, or not trusted", async () => {
  const words = ["--preview"];
  const plain = await importFrom(source.remotingPort, ...words);
  const system = await importFrom(source.remotingPort, ...words, "--tls", "system");
  const other = await importFrom(target.httpPort, ...words, "--tls", "any");
  const absent = await importFrom(source.remotingPort, ...words, "--tls", join(folder, "none.pem"));
  const key = join(folder, "key.pem");
  await writeFile(key, "no certificate\n");
  const wrong = await importFrom(source.remotingPort, ...words, "--tls", key);

  assert.equal(plain.code, 3, plain.err);
  assert.match(plain.err, /A source that speaks TLS only closes so\. --tls FILE/);
  assert.equal(system.code, 3, system.err);
  assert.match(system.err, /Cannot speak TLS with 127\.0\.0\.1:\d+: self.signed certificate/);
  assert.match(system.err, /--tls FILE trusts the authorities in a PEM file/);
  assert.equal(other.code, 3, other.err);
  assert.match(other.err, /Cannot speak TLS with .*without --tls nothing is encrypted/s);
  assert.equal(absent.code, 2, absent.err);
  assert.match(absent.err, /--tls cannot trust ".*none\.pem": there is no such file/);
  assert.equal(wrong.code, 2, wrong.err);
  assert.match(wrong.err, /there is no certificate in it/);
});
