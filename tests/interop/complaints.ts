/**
 * What clients complain of in their logs: lines of WARN and ERROR. A broker that serves a client
 * well gives it no reason to write any, so a program fails when it wrote one that is not listed
 * here. What is listed was seen from Apache RocketMQ's broker too, or has no broker in it.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Complaints about a connection that the client itself has closed. */
const closed = "(?:RemotingSendRequestException|send request failed|InterruptedException)";

/** Complaints that say nothing of the broker, by the reason why. */
const allowed: Readonly<Record<string, readonly RegExp[]>> = {
  "a client that shuts down closes its connection while its threads still pull": [
    new RegExp(`execute the pull request exception.*(?:${closed}|RejectedExecutionException)`),
    new RegExp(`An error occurred in pull message process.*${closed}`),
    /invokeSync: send request exception, so close the channel/,
    new RegExp(`fetchConsumeOffsetFromBroker exception.*${closed}`),
    /PullMessageServiceScheduledThread has shutdown/,
    /No matched consumer for the PullRequest .*, drop it/,
    /Polling thread was interrupted/,
    /The Pull Task is cancelled after doPullTask/,
    /ThreadPoolExecutor@.*didn't terminate!/,
    /execute callback in executor exception.*RejectedExecutionException/,
    /sending heartbeat, but no consumer and no producer/,
    /getConsumerIdListByGroup exception.*CODE: 1 /,
    /updateTopicRouteInfoFromNameServer Exception.*InterruptedException/,
    /doRebalance, \S+ \S+, get consumer id list failed/,
    // What waits for the answer to a lock then waits its second in vain.
    /invokeSync: wait response timeout exception/,
    /invokeSync: close socket because of timeout, (?:1000ms|\d+ms, null)/,
    /lockBatchMQ exception.*RemotingTimeoutException/,
  ],
  "4.9 forgets what it waits for when it closes a connection, and is still answered": [
    /receive response, but not matched any request/,
    /WARN RocketmqRemoting - RemotingCommand \[code=0, .* flag\(B\)=1,/,
  ],
  "a rebalance gives subscriptions a new version, and a pull may overtake the heartbeat with it": [
    /the subscription is not latest/,
    /execute the pull request exception.*CODE: 25 /,
  ],
  "two threads of the client want to send a heartbeat, and one lets the other": [
    /lock heartBeat, but failed/,
  ],
  "a queue that moves is locked and read by its last owner until that one has let go": [
    /add a new mq failed.*because lock failed/,
    /unlock messageQueue\. group:/,
    /the message queue not be able to consume, because it's dropped/,
  ],
  "a member asks for its group's retry topic before the heartbeat that makes it": [
    /get Topic \[%RETRY%.*is not exist value/,
    /updateTopicRouteInfoFromNameServer Exception.*%RETRY%/,
  ],
  "the client tells what the program itself decided": [
    /consumeMessage Orderly return not OK/,
    /when broker check, client (?:rollback|does not know) this transaction/,
    /executeLocalTransaction but state unexpected/,
    /consumer was paused, execute pull request later/,
  ],
  "no ACL file is there": [/Failed to parse configuration to enable ACL/],
  "ali-ons warns when it first hears of a topic": [
    /updateTopicPublishInfo\(\) prev is not null, \{"orderTopic":false,"haveTopicRouterInfo":false/,
  ],
};

/**
 * What is a complaint at any time but when a client shuts down. A heartbeat that is due just then
 * opens a connection, on an event loop that has ended: one without an address. A pull that was
 * begun before its consumer left the group goes out behind the word of it.
 */
const atShutDown: readonly RegExp[] = [
  /send heart beat to broker.*RemotingConnectException: connect to {2}failed/,
  /execute the pull request exception.*CODE: 24 /,
];
const shutDown = /INFO \S+ - the (?:producer|consumer|client factory) \[.*\] shutdown OK/;
const shutDownSpanMs = 3_000;
const dated = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d+)? /;
const complaint = new RegExp(`${dated.source}(?:WARN|ERROR) `);
/** How the Go and Node programs print what their clients log as warnings and errors. */
const noted = /^ {2}note: (?:warning|error|fatal): /;

/** The complaints of one process: of a Java client in the logs below its home, or in its output. */
export async function complaintsIn(output: string, userHome: string): Promise<string[]> {
  const found = output.split("\n").filter((line) => noted.test(line));
  const logs = join(userHome, "logs");
  const files = existsSync(logs) ? await readdir(logs, { recursive: true }) : [];
  for (const file of files.filter((name) => name.endsWith(".log"))) {
    found.push(...complaintsOf(await readFile(join(logs, file), "utf8")));
  }
  const reasons = Object.values(allowed).flat();
  return found.filter((line) => !reasons.some((reason) => reason.test(line)));
}

/** A log's complaints, each with the exception that follows it on the next line. */
function complaintsOf(log: string): string[] {
  const lines = log.split(/\r?\n/);
  const found = lines.flatMap((line, at) => {
    if (!complaint.test(line)) return [];
    const next = (lines[at + 1] ?? "").trim();
    return [next === "" || dated.test(next) ? line : `${line} ${next}`];
  });
  const endsMs = lines.filter((line) => shutDown.test(line)).map(timeOf);
  const atAnEnd = (line: string) =>
    endsMs.some((endMs) => Math.abs(timeOf(line) - endMs) <= shutDownSpanMs);
  return found.filter((line) => !(atShutDown.some((one) => one.test(line)) && atAnEnd(line)));
}

/** When a line was written, in milliseconds, in a zone of its own. */
function timeOf(line: string): number {
  return Date.parse(`${line.slice(0, 10)}T${line.slice(11, 19)}Z`);
}
