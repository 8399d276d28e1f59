/**
 * Every bound of the system, in one place. A queue, map, buffer, batch, wait or retry names its
 * bound from here, and the relations between bounds are asserted when this file loads.
 *
 * A line says what the bound protects. Bounds are not settings: a user who needs another value
 * tells us why, and the relation checks below say what else has to move.
 *
 * @module
 */
import { assert } from "./assert.ts";

const kib = 1024;
const mib = 1024 * kib;
const secondMs = 1000;
const hourMs = 3600 * secondMs;
const dayMs = 24 * hourMs;

/** The bounds. Names end in their unit; `Max` is included in what is allowed. */
export const limits = Object.freeze({
  // Bytes on a connection.
  /** One remoting frame, length field excluded: what RocketMQ's own clients accept back. */
  frameBytesMax: 16 * mib,
  /** The header of a remoting frame: extended fields with a full property list, twice over. */
  frameHeaderBytesMax: 128 * kib,
  /** Replies one connection has not taken yet; above it the connection's requests wait. */
  outboundBytesMax: 4 * mib,
  /**
   * New objects of the coordinator: a crowd's heartbeats made its thread keep 64 MiB for them, and
   * no message waits for it.
   */
  coordinatorYoungBytesMax: 8 * mib,
  /** Buffers for answers that wait to be used again: so many connections write in one tick. */
  idleWritersMax: 32,
  /** One such buffer: what many answers in one tick made larger is not worth keeping. */
  idleWriterBytesMax: 1 * mib,
  /** One reply of messages, so that a pull cannot fill a connection's whole outbound room. */
  replyBytesMax: 2 * mib,
  /** An HTTP request body: a full batch of small messages, or one large message in base64. */
  httpBodyBytesMax: 16 * mib,
  /**
   * How long an HTTP body may take, beside a second for each 16 kB; and how long a stream of
   * messages may say nothing.
   */
  httpBodyMsMax: 120 * secondMs,
  /** Addresses of one HTTP method of which it is remembered where they lead. */
  httpPathsKnownMax: 256,
  /** One line of streamed NDJSON: one message of the largest size in base64, with its fields. */
  lineBytesMax: 8 * mib,
  /** Connections of all protocols together: sockets cost memory before they send a byte. */
  connectionsMax: 15_000,
  /** Connections of the HTTP port: some 30 kB each before they have asked anything. */
  httpConnectionsMax: 10_000,
  /** Requests of one connection that are being worked on; further frames stay in the socket. */
  requestsPerConnectionMax: 1024,
  /**
   * Pulls of one remoting connection that wait, one a queue: above it a pull is answered at once.
   */
  parkedPerConnectionMax: 8192,
  /** Clients that share one remoting connection: their heartbeats are remembered by it. */
  clientsPerConnectionMax: 64,
  /** Requests of ours a remoting client has not answered: replies to its own are among them. */
  asksPerClientMax: 1024,
  /** How long a client may take to accept a reply: its responder waits 3 s, and is told why. */
  pushReplyMsMax: 2500,
  /** Queues of groups that were reset, and whose remoting members have not followed yet. */
  pendingResetsMax: 16_384,
  /** Queues of one lock request: a client asks for all of its share at once. */
  queuesPerLockRequestMax: 4096,
  /** How long a connection may take to its first byte: clients dial because they have to ask. */
  firstByteMsMax: 10 * secondMs,
  /** How long an HTTP connection may take to the end of its first request's head. */
  httpHeadMsMax: 12 * secondMs,
  /** A TLS handshake, from its first byte on: it costs us work before the peer has shown any. */
  tlsHandshakeMsMax: 5 * secondMs,
  /** A PROXY header with all its extensions: what it tells us fits into its first hundred bytes. */
  proxyHeaderBytesMax: 4 * kib,
  /** Networks in one setting: each is looked at for every new connection. */
  networksPerSettingMax: 256,
  /** Addresses the remoting protocol listens on besides its own. */
  alsoListenMax: 16,
  /**
   * A connection that has not said anything for so long is gone: clients speak every 30 s. Over
   * HTTP it is one that asked nothing, and longer than usual clients keep connections for reuse.
   */
  connectionIdleMsMax: 120 * secondMs,

  // One message.
  /** The body as a producer sent it: RocketMQ's default, so no client is surprised. */
  bodyBytesMax: 4 * mib,
  /** All properties in their stored form: a signed 16-bit length in the record. */
  propertiesBytesMax: 32_767,
  /** Topic names: one length byte in the record, and what clients check themselves. */
  topicLengthMax: 127,
  /** Group names: leaves room for the "%RETRY%" prefix inside a topic name's byte. */
  groupLengthMax: 120,
  /** Client ids: address, instance and unit names joined by "@". */
  clientIdLengthMax: 255,
  /** Keys a message can be found by: each is an index entry. */
  keysPerMessageMax: 64,
  /** One key: it is hashed, but it also travels in the properties. */
  keyLengthMax: 1024,
  /** A subscription expression: compiled by the coordinator, copied to every shard. */
  filterBytesMax: 4096,
  /** How deep an expression nests: the parser and the evaluator recurse. */
  filterDepthMax: 64,
  /** Conditions and operands of an expression: each costs a step for every message looked at. */
  filterNodesMax: 128,
  /** Characters of a number in an expression or a property: longer ones are texts, not numbers. */
  filterNumberLengthMax: 64,
  /** Messages one filtered read passes over before others have their turn. */
  filterScanEntriesMax: 16_384,
  /** Record bytes one filtered read looks into before others have their turn. */
  filterScanBytesMax: 8 * mib,

  // Batches.
  /** Messages in one HTTP send. */
  batchMessagesMax: 1024,
  /** Messages of one remoting batch record: the turn's index counts them in memory. */
  remotingBatchMessagesMax: 4096,
  /** Messages one pull returns, whatever the client asks for. */
  pullMessagesMax: 1024,
  /** Messages one pop returns: each becomes an in-flight row. */
  popMessagesMax: 256,
  /** Acknowledgements of one request. */
  acksPerRequestMax: 1024,
  /** Requests a thread takes in one turn: bounds how long the first of them waits. */
  turnRequestsMax: 4096,
  /** Request bytes of one turn, the last one may exceed it: bounds the size of a log row. */
  turnBytesMax: 32 * mib,
  /**
   * Bytes of one batch between two threads. Above it answers leave in several, and questions
   * are answered "busy" while the batches before are not taken.
   */
  linkBatchBytesMax: 32 * mib,
  /** Requests in flight from one front to one shard: credits; without one a request waits. */
  linkRequestsMax: 65_536,

  // HTTP.
  /** Messages of one NDJSON request: their receipts wait in memory until the last is stored. */
  ndjsonMessagesMax: 65_536,
  /** Lines of NDJSON held back for one send: bytes of their bodies. */
  ndjsonBatchBytesMax: 1 * mib,
  /** One compressed body, inflated for an HTTP reader. */
  inflatedBytesMax: 8 * mib,
  /** All bodies inflated for one answer: beyond it they are handed out as they were stored. */
  inflatedPerAnswerBytesMax: 32 * mib,
  /** Server-sent event streams open at one time: each parks a request per queue. */
  eventStreamsMax: 1024,
  /** Filters by their text that the HTTP front keeps, so that a poll need not ask for them. */
  filterCacheMax: 1024,
  /** Names on one page of a listing. */
  listPageMax: 1000,
  /** Label combinations of one metric. */
  metricSeriesMax: 2048,
  /** Topics and groups whose traffic is kept by the minute: 2 KiB each. */
  trafficSeriesMax: 4096,

  // Names.
  /** Topics of one broker: each is in every snapshot. */
  topicsMax: 10_000,
  /** Consumer groups of one broker. */
  groupsMax: 10_000,
  /** Queues of one topic. */
  queuesPerTopicMax: 1024,
  /** Queues of all topics together, retry and dead-letter queues included: tails are in memory. */
  queuesMax: 200_000,
  /** Shards of one broker: the position's high bits carry the shard. */
  shardsMax: 256,
  /** Consumers of one group: a notice goes to each when one comes or goes. */
  groupMembersMax: 4096,
  /** Producers of one group, who are told nothing: every Java consumer is in one of them. */
  groupProducersMax: 50_000,
  /** Subscriptions of one member. */
  subscriptionsPerMemberMax: 256,
  /** Queue locks held at one time by everyone. */
  queueLocksMax: 200_000,
  /** Free words on one topic: each travels in every snapshot. */
  attributesPerTopicMax: 64,
  /** One word of a topic's attributes, or its value. */
  attributeLengthMax: 1024,
  /** Steps of a group's retry ladder: the last one repeats, so more say nothing new. */
  retryDelaysMax: 64,
  /** The shortest retention: below it a message could go before a consumer has polled. */
  retentionMsMin: 1 * secondMs,
  /** The longest: a hundred years, so that a due time stays an exact number. */
  retentionMsMax: 36_525 * dayMs,
  /** The longest retention in bytes: exact as a number. */
  retentionBytesMax: 2 ** 53 - 1,
  /** Ids of consumers that the front keeps, to tell each other's: those of the groups in use. */
  memberIdsKeptMax: 65_536,
  /** Members of all groups together, producers included: each is an entry in memory. */
  membersMax: 200_000,
  /** Groups one heartbeat may name: one heartbeat is one request of the coordinator's turn. */
  groupsPerHeartbeatMax: 1024,
  /** A member that said nothing for so long has left: four of its own 30 s beats. */
  memberSilentMsMax: 120 * secondMs,
  /** A queue lock that was not renewed for so long is free: three of its owner's 20 s beats. */
  queueLockMsMax: 60 * secondMs,
  /** Compiled expressions kept: those of the subscriptions alive, in a broker of usual size. */
  compiledFiltersMax: 10_000,
  /** Keys of all namespaces together. */
  keyValuesMax: 10_000,
  /** A namespace, or a key in it. */
  keyLengthInNamespaceMax: 255,
  /** The value of such a key: a line of configuration, not a file. */
  keyValueLengthMax: 64 * kib,
  /** One timer's wait: a host's clock may be set meanwhile, so due times are looked at again. */
  timerMsMax: 60 * secondMs,
  /** How long a change of retention may wait for others, so that a burst is sent once. */
  retentionNewsMsMax: 1 * secondMs,
  /** Orphaned queues dropped together: their last step is one transaction. */
  queuesPerDropMax: 64,
  /** Written by such steps, as the store estimates it, before a checkpoint waits no longer. */
  droppedBytesMax: 32 * mib,
  /** Waiting messages deleted in one step of dropping a queue, where a step takes longest. */
  rowsPerDropStepMin: 16,
  /** The same where it takes shortest: between the two, a step is sized by the time it takes. */
  rowsPerDropStepMax: 1024,
  /** Half messages of all topics looked at in such a step, for those of the queue. */
  halvesPerDropStepMax: 4096,

  // Waiting.
  /** Pulls parked in one shard. */
  waitersPerShardMax: 100_000,
  /** How long one pull may wait: below the idle limits of common proxies. */
  pollWaitMsMax: 60 * secondMs,
  /** The shortest invisibility of a popped message that a consumer can keep up with. */
  invisibleMsMin: 100,
  /** The longest: RocketMQ's bound. */
  invisibleMsMax: 12 * hourMs,
  /** Messages passed over for now, per group and queue: behind their key, or for another member. */
  heldPerQueueMax: 1024,
  /** Open deliveries that are kept with a reset, so that undoing it brings them back. */
  undoneOpenMax: 4096,
  /** Different filters of one group for one topic: each is applied to what the others pass over. */
  filtersPerGroupTopicMax: 32,
  /** Those of all groups together: each is in every snapshot. */
  groupFiltersMax: 20_000,
  /** Clients of broadcast groups with places of their own: each is a reader of its queues. */
  broadcastReadersMax: 10_000,
  /** Requests that wait for a reply: each holds a connection. */
  requestsWaitingMax: 4096,
  /** How long a request may wait: below the idle limits of common proxies. */
  requestMsMax: 60 * secondMs,
  /** Leases whose holder is remembered, per shard: for those who ask who has a message. */
  leaseHoldersMax: 100_000,
  /** Popped messages not yet acknowledged, per group and shard. */
  inflightPerGroupMax: 200_000,
  /** The furthest a delayed message may lie ahead. */
  delayMsMax: 366 * dayMs,
  /** Half messages waiting for a decision, per shard. */
  halfMessagesPerShardMax: 200_000,
  /** Events kept for a group's place in a queue: enough to tell what happened, and to undo it. */
  eventsPerPlaceMax: 64,
  /** How often a producer can be asked about a half message before an operator decides. */
  transactionChecksMax: 1000,
  /** The shortest time between two questions about a half message: each is a write of its row. */
  transactionCheckMsMin: 100,
  /** How long a producer may ask not to be asked: a week holds every business's slowest step. */
  immunityMsMax: 7 * dayMs,
  /** Questions one turn of a shard hands out; the rest follows in the next. */
  checksPerTurnMax: 64,
  /** Record bytes of those questions: they travel beside the turn's answers. */
  checkBytesPerTurnMax: 1 * mib,
  /** Questions kept for producers who collect them, of all groups together. */
  checksWaitingMax: 4096,
  /** Bytes of those questions. */
  checksWaitingBytesMax: 32 * mib,
  /** Polls for questions that wait, of all groups together. */
  checkPollsMax: 4096,
  /** Groups whose places one question to a shard is about: some milliseconds of its turn. */
  groupsPerPlacesAskMax: 64,
  /** Places of all groups in one answer: each is some 150 bytes of a frame. */
  placesPerAnswerMax: 50_000,
  /** Webhook calls at one time. */
  webhooksMax: 128,
  /** Webhook calls to one host at one time: a slow one must not take all. */
  webhooksPerHostMax: 8,
  /** Questions that wait for their turn at one host; more are asked at the next interval. */
  webhooksWaitingPerHostMax: 256,
  /** One webhook call, from the connection to the last byte of its answer. */
  webhookMsMax: 5 * secondMs,
  /** The answer to a webhook: one word in JSON. */
  webhookAnswerBytesMax: 4 * kib,
  /** Where a producer is asked: what clients and proxies take as a URL. */
  checkUrlLengthMax: 2048,
  /** Damaged rows of one table that are passed over; a file with more of them is given up. */
  damagedRowsMax: 1024,
  /** Pending timers of one topic in one shard: each is a row with its record on disk. */
  timersPerTopicMax: 10_000_000,
  /** Timers or half messages on one page of a listing: a look at them reads their rows. */
  timersPageMax: 256,
  /** Attempts before a message goes to the dead-letter queue, whatever the group asks for. */
  attemptsMax: 256,
  /** How long a peer may take the last bytes of a connection that we end. */
  endMsMax: 5 * secondMs,

  /** Ids of producers a shard remembers, 28 bytes each, so that a repeat is recognised. */
  recentIdsMax: 1_048_576,
  /** How long ids of timers and transactions are kept where no send has told its window yet. */
  recentIdsWindowMs: 10 * 60 * secondMs,
  /** Former numbers of queues a topic remembers one by one: each may be a question for a send. */
  formerQueuesMax: 8,
  /** After its topic grew, how long a send may be on its way to the queue it would have had. */
  formerQueuesLateMs: 60 * secondMs,
  /** How far back a repeated id is recognised: the memory above is for minutes, not days. */
  dedupeWindowMsMax: 24 * hourMs,

  // Housekeeping.
  /** Messages recovery may have to index again after a crash: a second at most. */
  replayMessagesMax: 300_000,
  /** Bytes of messages it may have to read for that, about. */
  replayBytesMax: 64 * mib,
  /**
   * Bytes of the newest turns a shard keeps to read at the tail: several seconds of a busy shard.
   */
  recentTurnsBytesMax: 32 * mib,
  /** Turns a shard keeps after reading them back: consumers in the backlog move through them. */
  readTurnsMax: 4096,
  /** Bytes of those turns: a thousand queues share the turns they are read from. */
  readTurnsBytesMax: 32 * mib,
  /** Index chunks a shard keeps after reading them, one a queue, 3 KiB each. */
  queueChunksCachedMax: 4096,
  /** What a checkpoint waits for, so that pages written twice are copied once. */
  checkpointBytesMin: 8 * mib,
  /** A WAL that no checkpoint can empty, because of a stuck reader: sends are refused above it. */
  walBytesMax: 1024 * mib,
  /** A configuration file: anything longer was not written for us. */
  configBytesMax: 1 * mib,
  /** A small file read whole: locks, secrets, notes of the launcher. */
  smallFileBytesMax: 1 * mib,
  /** One string from a client, in a log record. */
  logTextLengthMax: 1024,
  /** Fields of one log record. */
  logFieldsMax: 32,

  /** Expired messages of a shard that are remembered, to be explained: some megabytes. */
  expiredRemembered: 32_768,
  // Dead letters.
  /** Messages one receive gives up before others have their turn: each is a record copied. */
  buriedPerTurnMax: 1024,
  /** Redrives under way at once: each costs its shards a small turn every few milliseconds. */
  redrivesMax: 8,
  /** Redrives that are remembered, ended ones included: what an operator looks back at. */
  redrivesKept: 64,
  /** Letters one step of a redrive reads: small beside what a turn holds. */
  redriveStepBytesMax: 1 * mib,
  /** Letters named one by one in a request. */
  redriveIdsMax: 1000,
  /** The fastest redrive, in letters a second: beyond it the shards' turns would be its own. */
  redrivePerSecondMax: 2000,

  // The command line.
  /** Body bytes of one batch of `message send`: a few round trips' worth, and small in memory. */
  sendBatchBytesMax: 1 * mib,
  /** How long `curlew serve` takes to end after a signal: what supervisors grant. */
  serveStopMsMax: 5 * secondMs,
  /** Requests one `message send` keeps going at once: each holds a batch. */
  sendWorkersMax: 64,
  /** Connections of one `curlew bench`: a process's sockets and its load buffers. */
  benchConnectionsMax: 10_000,
  /** Requests in flight on one connection of `curlew bench`: within what a server reads ahead. */
  benchInFlightMax: 1024,
  /** Messages one pull of `curlew import` asks for, and so one of its sends holds. */
  importPullMessagesMax: 512,
  /** Bytes of such a pull: two pieces of each queue that is being copied are in memory. */
  importPullBytesMax: 1 * mib,
  /** Queues `curlew import` copies at one time: each has a pull and a send under way. */
  importJobsMax: 64,
  /** Runs of offsets noted for one imported queue: a map with more was made by other writers. */
  importStretchesMax: 4096,
  /** Messages that could not be copied and are told one by one; the others are counted. */
  importProblemsTold: 100,
  /** What `curlew import` remembers between its runs: some hundred bytes for each queue. */
  importStateBytesMax: 64 * mib,
});

/** The names and values of the bounds, for documentation and for tests that break a relation. */
export type Limits = Readonly<Record<keyof typeof limits, number>>;

/**
 * Checks how bounds depend on each other.
 *
 * @throws {AssertionError} Two bounds contradict each other.
 */
export function assertRelations(bounds: Limits): void {
  for (const [name, value] of Object.entries(bounds)) {
    assert(Number.isSafeInteger(value) && value > 0, `limit ${name} is a whole number above zero`);
  }
  const message = bounds.bodyBytesMax + bounds.propertiesBytesMax;
  assert(message < bounds.frameBytesMax, "the largest message fits into a frame");
  assert(bounds.frameHeaderBytesMax < bounds.frameBytesMax, "a header fits into a frame");
  assert(bounds.frameBytesMax <= bounds.turnBytesMax, "the largest request fits into a turn");
  assert(bounds.turnBytesMax <= bounds.linkBatchBytesMax, "a turn's replies fit into a batch");
  assert(bounds.replyBytesMax <= bounds.outboundBytesMax, "a reply fits into the outbound room");
  assert(message * 4 / 3 < bounds.lineBytesMax, "the largest message fits into a line, in base64");
  assert(bounds.lineBytesMax <= bounds.httpBodyBytesMax, "the longest line fits into a body");
  assert(bounds.topicLengthMax <= 127, "a topic's length is one signed byte in the record");
  assert("%RETRY%".length + bounds.groupLengthMax <= bounds.topicLengthMax, "a retry topic fits");
  assert(bounds.propertiesBytesMax <= 32_767, "their length is a signed 16-bit number");
  assert(bounds.popMessagesMax <= bounds.pullMessagesMax, "a pop is a pull that remembers");
  assert(bounds.popMessagesMax <= bounds.inflightPerGroupMax, "one pop can be in flight");
  assert(bounds.pollWaitMsMax < bounds.connectionIdleMsMax, "a waiting pull is not an idle peer");
  assert(bounds.benchConnectionsMax <= bounds.httpConnectionsMax, "the load tool may connect");
  assert(bounds.invisibleMsMin < bounds.invisibleMsMax, "some invisibility is allowed");
  assert(bounds.queuesPerTopicMax <= bounds.queuesMax, "one full topic fits");
  assert(bounds.batchMessagesMax <= bounds.ndjsonMessagesMax, "a stream holds at least one batch");
  assert(bounds.inflatedBytesMax <= bounds.inflatedPerAnswerBytesMax, "an answer holds one body");
  assert(bounds.shardsMax <= bounds.queuesPerTopicMax, "a retry topic has a queue in every shard");
  assert(bounds.queueLockMsMax < bounds.memberSilentMsMax, "no lock outlives its silent owner");
}

assertRelations(limits);
