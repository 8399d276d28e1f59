import assert from "node:assert/strict";
import { test } from "node:test";
import { configPath, faultText, readSettings, type Sources } from "./read.ts";
import type { SettingName, Settings } from "./schema.ts";

const nothing: Sources = { flags: [], environment: {}, file: null, facts: { cores: 2 } };

function read(sources: Partial<Sources>) {
  return readSettings({ ...nothing, ...sources });
}

function settingsOf(sources: Partial<Sources>): Settings {
  const outcome = read(sources);
  assert.ok(outcome.kind === "settings", JSON.stringify(outcome));
  return outcome.settings;
}

function faultsOf(sources: Partial<Sources>): string[] {
  const outcome = read(sources);
  return outcome.kind === "faults" ? outcome.faults.map(faultText) : [];
}

function toml(text: string) {
  return { file: { path: "curlew.toml", text } };
}

test("readSettings() without any source gives the defaults", () => {
  const { data, host, httpPort, remotingPort, shards, advertise, retentionMs } = settingsOf({});

  assert.deepEqual(
    { data, host, httpPort, remotingPort, shards, advertise, retentionMs },
    {
      data: "./data",
      host: "127.0.0.1",
      httpPort: 8080,
      remotingPort: 9876,
      shards: 1,
      advertise: null,
      retentionMs: 259_200_000,
    },
  );
});

test("readSettings() takes one shard less than cores, from one to four", () => {
  const shards = [1, 2, 3, 5, 64].map((cores) => settingsOf({ facts: { cores } }).shards);

  assert.deepEqual(shards, [1, 1, 2, 4, 4]);
});

test("readSettings() believes flags over environment over file over defaults", () => {
  const sources = {
    ...toml('host = "file"\nbroker_name = "file"\ncluster_name = "file"'),
    environment: { CURLEW_BROKER_NAME: "environment", CURLEW_CLUSTER_NAME: "environment" },
    flags: ["--cluster-name", "flag"],
  };
  const outcome = read(sources);
  assert.ok(outcome.kind === "settings");
  const names: SettingName[] = ["host", "brokerName", "clusterName", "data"];

  assert.deepEqual(names.map((name) => `${outcome.settings[name]} ${outcome.origins[name]}`), [
    "file file",
    "environment environment",
    "flag flag",
    "./data default",
  ]);
});

test("readSettings() takes flags with a value beside or behind an equals sign", () => {
  const flags = ["--http-port=0", "--data", "/tmp/x=y", "--host=::1"];
  const { httpPort, data, host } = settingsOf({ flags });

  assert.deepEqual([httpPort, data, host], [0, "/tmp/x=y", "::1"]);
});

test("readSettings() takes a switch alone, with a value, and negated", () => {
  const values = [
    ["--trace-topic", "--data", "x"],
    ["--trace-topic=false"],
    ["--trace-topic", "true"],
    ["--no-trace-topic"],
  ].map((flags) => settingsOf({ flags }).traceTopic);

  assert.deepEqual(values, [true, false, true, false]);
});

test("readSettings() takes keys of the file with dashes or underscores, and typed values", () => {
  const text = 'http_port = 1\nremoting-port = 2\nretention_ms = "2h"\naccept_damage = true';
  const { httpPort, remotingPort, retentionMs, acceptDamage } = settingsOf(toml(text));

  assert.deepEqual([httpPort, remotingPort, retentionMs, acceptDamage], [1, 2, 7_200_000, true]);
});

test("readSettings() takes times and sizes with units", () => {
  const environment = { CURLEW_RETENTION_MS: "7d", CURLEW_DISK_RESERVE_BYTES: "1GiB" };
  const { retentionMs, diskReserveBytes } = settingsOf({ environment });

  assert.deepEqual([retentionMs, diskReserveBytes], [604_800_000, 1_073_741_824]);
});

test("readSettings() takes addresses of every form", () => {
  const addresses = ["broker.example:9876", "10.0.0.1:1", "[2001:db8::1]:65535"].map((text) =>
    settingsOf({ flags: ["--advertise", text] }).advertise
  );

  assert.deepEqual(addresses, [
    { host: "broker.example", port: 9876 },
    { host: "10.0.0.1", port: 1 },
    { host: "2001:db8::1", port: 65_535 },
  ]);
});

test("readSettings() tells every fault of every source at once", () => {
  const sources = {
    ...toml("http_port = 70000\ndefault_queues = 1.5\n[shards]\nx = 1"),
    environment: { CURLEW_LOG_LEVEL: "loud", CURLEW_ADVERTISE: "host:0" },
    flags: ["--accept-damage=perhaps", "--remoting-port"],
  };

  assert.deepEqual(faultsOf(sources), [
    "curlew.toml, shards: found a table; allowed is a whole number from 1 to 256",
    "--remoting-port: has no value; allowed is a whole number from 0 to 65535",
    "curlew.toml, http_port: found 70000; allowed is a whole number from 0 to 65535",
    "curlew.toml, default_queues: found 1.5; allowed is a whole number from 1 to 1024",
    'CURLEW_LOG_LEVEL: found "loud"; allowed is debug or info or warn or error',
    'CURLEW_ADVERTISE: found "host:0"; allowed is host:port',
    '--accept-damage: found "perhaps"; allowed is true or false',
  ]);
});

test("readSettings() refuses a value of the wrong type in the file", () => {
  const text = 'http_port = "8080x"\nhost = 5\naccept_damage = 1\nlog_level = true';

  assert.deepEqual(faultsOf(toml(text)).map((fault) => fault.split(";")[0]), [
    'curlew.toml, http_port: found "8080x"',
    "curlew.toml, host: found 5",
    "curlew.toml, accept_damage: found 1",
    "curlew.toml, log_level: found true",
  ]);
});

test("readSettings() names the nearest setting for one it does not know", () => {
  const sources = {
    ...toml("htp_port = 1\nquite_another = 2"),
    environment: { CURLEW_HOTS: "x", CURLEW_URL: "for clients", OTHER: "not ours" },
    flags: ["--dta", "x", "stray"],
  };

  assert.deepEqual(faultsOf(sources), [
    "curlew.toml, htp_port: there is no such setting; did you mean http_port?",
    "curlew.toml, quite_another: there is no such setting",
    "CURLEW_HOTS: there is no such setting; did you mean CURLEW_HOST?",
    "--dta: there is no such setting; did you mean --data?",
    "stray: is no flag; settings are given as --name=value",
  ]);
});

test("readSettings() refuses a setting that one source gives twice", () => {
  const sources = { ...toml("http-port = 1\nhttp_port = 2"), flags: ["--data=a", "--data=b"] };

  assert.deepEqual(faultsOf(sources), [
    "curlew.toml, http_port: is given more than once",
    "--data: is given more than once",
  ]);
});

test("readSettings() says where a file stops being TOML", () => {
  const [fault, ...more] = faultsOf(toml("http_port = 1\nhost = = 2"));

  assert.match(fault ?? "", /^curlew.toml, line 2: is not TOML: /);
  assert.deepEqual(more, []);
});

test("readSettings() refuses one port for two listeners, except 0", () => {
  assert.match(faultsOf({ flags: ["--http-port=9876"] }).join(), /both are 9876/);
  assert.deepEqual(faultsOf({ flags: ["--http-port=0", "--remoting-port=0"] }), []);
});

test("readSettings() refuses half a TLS pair, and webhooks nobody signs", () => {
  assert.deepEqual(faultsOf({ flags: ["--tls-cert-file=a.pem", "--webhook-hosts=shop"] }), [
    "--tls-cert-file and --tls-key-file: one is given without the other; both are needed, or none",
    "--webhook-hosts: is given without --webhook-secret; webhooks are always signed",
  ]);
  const whole = ["--tls-cert-file=a.pem", "--tls-key-file=b.pem", "--webhook-secret=short"];
  assert.deepEqual(faultsOf({ flags: [...whole, "--webhook-hosts=shop"] }), [
    "--webhook-secret: found 5 characters; allowed is 16 to 200 printable characters, no blanks",
  ]);
});

test("readSettings() refuses text with control characters, and empty text", () => {
  for (const value of ["", "a\nb", "a\u0000"]) {
    assert.equal(faultsOf({ flags: [`--data=${value}`] }).length, 1);
  }
});

test("configPath() is the flag's, then the variable's, and is no setting of the file", () => {
  const environment = { CURLEW_CONFIG: "variable.toml" };

  assert.equal(configPath({ flags: ["--config", "flag.toml"], environment }), "flag.toml");
  assert.equal(configPath({ flags: ["--data", "x"], environment }), "variable.toml");
  assert.equal(configPath({ flags: [], environment: {} }), null);
  assert.deepEqual(faultsOf(toml('config = "x"')), [
    "curlew.toml, config: there is no such setting",
  ]);
});
