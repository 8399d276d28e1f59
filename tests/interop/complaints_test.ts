import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { complaintsIn } from "./complaints.ts";

async function complaintsOfLog(lines: readonly string[], output = ""): Promise<string[]> {
  const home = await mkdtemp(join(tmpdir(), "curlew-complaints-"));
  try {
    const logs = join(home, "logs", "rocketmqlogs");
    await mkdir(logs, { recursive: true });
    // 4.9 ends its lines as Windows does.
    await writeFile(join(logs, "rocketmq_client.log"), lines.join("\r\n"));
    return await complaintsIn(output, home);
  } finally {
    await rm(home, { recursive: true });
  }
}

test("complaintsIn() finds warnings and errors, with the exceptions that follow them", async () => {
  const found = await complaintsOfLog([
    "2026-11-23 07:21:10 INFO main - the producer start OK",
    "2026-11-23 07:21:11 WARN main - send heart beat failed",
    "org.apache.rocketmq.SomeException: CODE: 1  DESC: a reason",
    "\tat some.place",
    "2026-11-23 07:21:12,345 ERROR RocketmqClient - lockBatchMQ exception",
    "2026-11-23 07:21:12,345 INFO RocketmqClient - and so on",
  ]);

  assert.deepEqual(found, [
    "2026-11-23 07:21:11 WARN main - send heart beat failed " +
    "org.apache.rocketmq.SomeException: CODE: 1  DESC: a reason",
    "2026-11-23 07:21:12,345 ERROR RocketmqClient - lockBatchMQ exception",
  ]);
});

test("complaintsIn() lets a failed pull pass only for the client's own reasons", async () => {
  const pull = "2026-11-23 07:21:11 WARN t - execute the pull request exception";
  const reasons = [
    "org.apache.rocketmq.client.exception.MQClientException: send request failed to 127.0.0.1:1.",
    "org.apache.rocketmq.client.exception.MQBrokerException: CODE: 25  DESC: not latest",
    "org.apache.rocketmq.client.exception.MQBrokerException: CODE: 1  DESC: broken",
  ];

  const found = await complaintsOfLog(reasons.flatMap((reason) => [pull, reason]));

  assert.deepEqual(found, [`${pull} ${reasons[2]}`]);
});

test("complaintsIn() lets a heartbeat or pull fail only while its client shuts down", async () => {
  const heartbeat = (at: string) => [
    `${at} WARN MQClientFactoryScheduledThread - send heart beat to broker[broker-a 0 h:1] failed`,
    "org.apache.rocketmq.remoting.exception.RemotingConnectException: connect to  failed",
  ];

  const pull = (at: string) => [
    `${at},589 WARN RocketmqClient - execute the pull request exception`,
    "org.apache.rocketmq.client.exception.MQBrokerException: CODE: 24  DESC: not subscribed",
  ];

  const found = await complaintsOfLog([
    ...heartbeat("2026-11-23 07:21:02"),
    ...pull("2026-11-23 07:21:03"),
    ...heartbeat("2026-11-23 07:21:11"),
    ...pull("2026-11-23 07:21:11"),
    "2026-11-23 07:21:12 INFO main - the client factory [192.0.2.2@PID] shutdown OK",
  ]);

  const early = [heartbeat("2026-11-23 07:21:02"), pull("2026-11-23 07:21:03")];
  assert.deepEqual(found, early.map((lines) => lines.join(" ")));
});

test("complaintsIn() reads the notes that Go and Node programs print", async () => {
  const output = "GoSends: begun\n  note: warning: a thing map[]\n  note: error: other\nOK GoSends";

  assert.deepEqual(await complaintsOfLog([], output), [
    "  note: warning: a thing map[]",
    "  note: error: other",
  ]);
});
