/**
 * The ali-ons client against a broker: send, cluster and broadcast consumption, retry after an
 * exception. Run by Node, the one runtime this client is made for; prints what held, one claim a
 * line, and ends with `OK AliOns` or a non-zero status.
 *
 *     node tests/interop/node/ali_ons.mjs --namesrv 127.0.0.1:9876 --topics a,b,c --run r1
 *
 * The three topics must exist: one shared, one broadcast, one retried.
 *
 * @module
 */
import process from "node:process";
import { format } from "node:util";
import ons from "ali-ons";

const { Consumer, Message, Producer } = ons;
const deadlineMs = 120_000;
const messagesCount = 60;

/**
 * What the client complains of, and nothing else. By default it logs into files of the home
 * directory.
 */
const logger = {
  debug() {},
  info() {},
  warn: (...words) => note("warning", words),
  error: (...words) => note("error", words),
};
const words = process.argv.slice(2);

function note(level, words) {
  process.stdout.write(`  note: ${level}: ${format(...words).replaceAll("\n", " ")}\n`);
}

function argument(name, absent) {
  const at = words.indexOf(`--${name}`);
  if (at >= 0) return words[at + 1];
  if (absent === undefined) throw new Error(`Cannot start: --${name} is missing`);
  return absent;
}

/** Where name servers are looked up; "" if they are given. */
const onsAddr = argument("ons-addr", "");
const nameSrv = argument("namesrv");
const run = argument("run");
const [sharedTopic, broadcastTopic, retriedTopic] = argument("topics").split(",");
const closers = [];
let clients = 0;

function say(line) {
  process.stdout.write(`${line}\n`);
}

function holds(claim, isTrue) {
  if (!isTrue) throw new Error(`does not hold: ${claim}`);
  say(`  holds: ${claim}`);
}

async function eventually(secondsMax, claim, isTrue, seen) {
  const startedMs = Date.now();
  while (!isTrue()) {
    if (Date.now() - startedMs > secondsMax * 1000) {
      throw new Error(`did not hold within ${secondsMax} s: ${claim} (last seen: ${seen()})`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  say(`  holds: ${claim} (after ${Date.now() - startedMs} ms)`);
}

function options(extra) {
  return {
    // Asked for even where no address server is reached by it.
    httpclient: { request: lookUp },
    ...(onsAddr === "" ? { nameSrv } : { onsAddr: `http://${onsAddr}/rocketmq/nsaddr` }),
    clientIP: "127.0.0.1",
    instanceName: `${run}-${++clients}`,
    rebalanceInterval: 2_000,
    logger,
    ...extra,
  };
}

async function lookUp(url) {
  if (onsAddr === "") throw new Error("no address server is used");
  const response = await fetch(url);
  return { status: response.status, data: await response.text() };
}

/** A client's close waits for pulls that are parked: the end of the process does not. */
async function producer(group) {
  const client = new Producer(options({ producerGroup: `interop_${group}_${run}` }));
  client.on("error", (error) => say(`  note: producer error ${error.message}`));
  await client.ready();
  closers.push(() => client.close());
  return client;
}

async function consumer(group, topic, expression, handler, extra = {}) {
  const client = new Consumer(options({
    consumerGroup: `interop_${group}_${run}`,
    consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET",
    ...extra,
  }));
  client.on("error", (error) => say(`  note: consumer error ${error.message.split("\n")[0]}`));
  // The client insists on a function declared async.
  client.subscribe(topic, expression, async (message) => await handler(message));
  await client.ready();
  closers.push(() => client.close());
  return client;
}

async function sends(topic, tag) {
  const client = await producer("ali");
  const ids = new Set();
  for (let i = 0; i < messagesCount; i++) {
    const result = await client.send(new Message(topic, tag, `${tag} ${i}`));
    if (result.sendStatus !== "SEND_OK") throw new Error(`answer ${JSON.stringify(result)}`);
    ids.add(result.msgId);
  }
  holds(
    `${messagesCount} sends are answered SEND_OK, each with its id`,
    ids.size === messagesCount,
  );
  const large = await client.send(new Message(topic, tag, "large ".repeat(2_000)));
  holds("a large body is sent compressed", large.sendStatus === "SEND_OK");
  return messagesCount + 1;
}

/** Two members of one group between them consume every message. */
async function sharing() {
  const texts = [new Set(), new Set()];
  for (const mine of texts) {
    await consumer("ali_shared", sharedTopic, "shared", (message) => {
      mine.add(message.body.toString());
      return Promise.resolve();
    });
  }
  const count = await sends(sharedTopic, "shared");
  await sends(sharedTopic, "other");
  const union = () => new Set([...texts[0], ...texts[1]]);
  const sizes = () => texts.map((each) => each.size).join(" + ");
  await eventually(30, `two members consume all ${count}`, () => union().size === count, sizes);
  holds("and nothing of another tag", [...union()].every((text) => !text.startsWith("other")));
  holds("a compressed body is read as it was", union().has("large ".repeat(2_000)));
}

/** Two broadcast members each consume every message. */
async function broadcasting() {
  const texts = [new Set(), new Set()];
  for (const mine of texts) {
    await consumer("ali_broadcast", broadcastTopic, "*", (message) => {
      mine.add(message.body.toString());
      return Promise.resolve();
    }, { isBroadcast: true });
  }
  const count = await sends(broadcastTopic, "wide");
  for (const mine of texts) {
    await eventually(
      30,
      `a broadcast member consumes all ${count}`,
      () => mine.size === count,
      () => mine.size,
    );
  }
}

/** A handler that throws gets its message again after ten seconds, counted. */
async function retrying() {
  const tries = [];
  await consumer("ali_retried", retriedTopic, "*", (message) => {
    tries.push({
      times: message.reconsumeTimes,
      topic: message.topic,
      uniqueKey: message.properties.UNIQ_KEY,
      text: message.body.toString(),
    });
    return tries.length === 1 ? Promise.reject(new Error("refused once")) : Promise.resolve();
  });
  const client = await producer("ali_retried");
  const sent = await client.send(new Message(retriedTopic, "tag", "try me"));
  await eventually(
    60,
    "a refused message comes again",
    () => tries.length === 2,
    () => JSON.stringify(tries),
  );
  holds("counted", tries[0].times === 0 && tries[1].times === 1);
  holds("with its topic and body", tries[1].topic === retriedTopic && tries[1].text === "try me");
  // This client's `msgId` is the place in the log; what stays the same is the unique key.
  holds("and its unique key", tries.every((each) => each.uniqueKey === tries[0].uniqueKey));
  holds("after a send that was answered SEND_OK", sent.sendStatus === "SEND_OK");
}

const deadline = setTimeout(() => {
  say(`FAILED AliOns: not finished within ${deadlineMs / 1000} s`);
  process.exit(2);
}, deadlineMs);
deadline.unref();

try {
  say(`AliOns: Node ${process.version}, name server ${onsAddr === "" ? nameSrv : onsAddr}`);
  await sharing();
  await broadcasting();
  await retrying();
  const closing = Promise.allSettled(closers.map((close) => close()));
  await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 5_000))]);
  say("OK AliOns");
  process.exit(0);
} catch (error) {
  say(`FAILED AliOns: ${error.stack}`);
  process.exit(1);
}
