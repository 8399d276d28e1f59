/**
 * A broker in memory, for tests of protocols: messages are real records, leases expire, polls wait
 * for messages, for a manual clock or for their client to leave. Nothing happens by itself: after
 * moving the clock call `tick`. It knows no members, locks and transactions.
 *
 * @module
 */
import type { ManualClock } from "../../src/base/clock.ts";
import { javaHash } from "../../src/base/hash.ts";
import type {
  Broker,
  FoundMessage,
  Health,
  LeaseName,
  PullRequest,
  PullResult,
  QueuePlace,
  ReceivedMessage,
  ReceiveRequest,
  ResetTarget,
  SendRequest,
} from "../../src/broker/broker.ts";
import { Traffic } from "../../src/broker/traffic.ts";
import { compileExpression } from "../../src/core/filter.ts";
import type { ErrorCode } from "../../src/model/error_codes.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { defaultGroupSettings, type Group, type GroupSettings } from "../../src/model/group.ts";
import type { SendReceipt } from "../../src/model/message.ts";
import { checkGroupName, checkTopicName } from "../../src/model/names.ts";
import { readProperty, withProperty } from "../../src/model/properties.ts";
import { readRecord, recordProperties } from "../../src/model/record.ts";
import type { Expression, Filter } from "../../src/model/subscription.ts";
import type { Topic, TopicSettings } from "../../src/model/topic.ts";
import {
  absent,
  absentDeadLetters,
  absentTimers,
  absentTransactions,
  found,
  type GroupState,
  later,
  type Lease,
  passes,
  type Place,
  placeOf,
  pulled,
  type Queue,
  recordOf,
  settled,
  type Stored,
  topicDefaults,
} from "./memory_broker_parts.ts";
import { ParkedPolls } from "./parked_polls.ts";

/** Broker, and handles for tests: `fail`, `trim`, `tick`, `parked`, `records`. */
export class MemoryBroker implements Broker {
  readonly timers = absentTimers;
  readonly traffic = new Traffic({ monotonicMs: () => 0, wallMs: () => 0 });
  readonly transactions = absentTransactions;
  readonly deadLetters = absentDeadLetters;
  readonly clock: ManualClock;
  /** Error code for the next sends; `null`: they work. A function picks by request. */
  sendFault: ((request: SendRequest) => ErrorCode | null) | null = null;
  autoCreate = false;
  healthy: Health = { ready: true, problems: [], shards: [] };
  /** What was asked, for tests of what a route makes of a request. */
  readonly sends: SendRequest[] = [];
  readonly receives: ReceiveRequest[] = [];
  compiles = 0;
  readonly #topics = new Map<string, Topic>();
  readonly #groups = new Map<string, Group>();
  readonly #queues = new Map<string, Queue[]>();
  readonly #states = new Map<string, GroupState>();
  readonly #polls: ParkedPolls;
  #turn = 0;
  #leases = 0;
  #positions = 0;
  readonly #byPosition: Stored[] = [];

  constructor(clock: ManualClock) {
    this.clock = clock;
    this.#polls = new ParkedPolls(clock);
  }

  /** Polls that wait. */
  get parked(): number {
    return this.#polls.size;
  }

  /** Resolves when so many polls wait: a request's way here takes turns of its own. */
  untilParked(count: number): Promise<void> {
    return this.#polls.until(count);
  }

  /** Answers polls whose time or message has come. Also lets promises settle. */
  async tick(ms = 0): Promise<void> {
    this.clock.advance(ms);
    this.#polls.wake();
    for (let round = 0; round < 50; round++) await Promise.resolve();
  }

  /** Deletes what is below `minOffset`, as retention would. */
  trim(topic: string, queueId: number, minOffset: number): void {
    const queue = this.#queue(topic, queueId);
    queue.minOffset = minOffset;
  }

  /** Writes a record as another client would have: any flags, any properties. */
  plant(topic: string, queueId: number, body: Uint8Array, properties = "", sysFlag = 0): void {
    const { bornHost, bornMs } = { bornHost: { ip: "10.0.0.9", port: 1 }, bornMs: 5 };
    const reconsumeTimes = 0;
    const message = { body, properties, flag: 0, sysFlag, bornMs, bornHost, reconsumeTimes };
    this.#append({ topic, queueId, storeHost: bornHost, messages: [message] }, queueId);
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name);
  }
  group(name: string): Group | undefined {
    return this.#groups.get(name);
  }
  topics(): readonly Topic[] {
    return [...this.#topics.values()];
  }
  groups(): readonly Group[] {
    return [...this.#groups.values()];
  }

  createTopic(name: string, settings: Partial<TopicSettings>): Promise<Topic> {
    return later(() => {
      checkTopicName(name);
      const known = this.#topics.get(name);
      const wanted = { ...(known?.settings ?? topicDefaults), ...settings };
      if (!known) return this.#putTopic(name, wanted, name.startsWith("%"));
      if (JSON.stringify(wanted) === JSON.stringify(known.settings)) return known;
      throw new BrokerError("topic_exists", `Cannot create ${name}: it has other settings`);
    });
  }
  changeTopic(name: string, settings: Partial<TopicSettings>): Promise<Topic> {
    return later(() => {
      const known = this.#known(name);
      if (settings.queues !== undefined && settings.queues < known.settings.queues) {
        throw new BrokerError("conflict", "Cannot take queues away");
      }
      return this.#putTopic(name, { ...known.settings, ...settings }, known.system);
    });
  }
  deleteTopic(name: string): Promise<void> {
    return later(() => {
      this.#known(name);
      this.#topics.delete(name);
      this.#queues.delete(name);
      this.#polls.wake();
    });
  }
  createGroup(name: string, settings: Partial<GroupSettings>): Promise<Group> {
    return later(() => {
      checkGroupName(name);
      const known = this.#groups.get(name);
      const wanted = { ...(known?.settings ?? defaultGroupSettings), ...settings };
      if (!known) return this.#putGroup(name, wanted);
      if (JSON.stringify(wanted) === JSON.stringify(known.settings)) return known;
      throw new BrokerError("group_exists", `Cannot create ${name}: it has other settings`);
    });
  }
  changeGroup(name: string, settings: Partial<GroupSettings>): Promise<Group> {
    return later(() => {
      const known = this.#groups.get(name);
      if (!known) throw new BrokerError("group_not_found");
      return this.#putGroup(name, { ...known.settings, ...settings });
    });
  }
  deleteGroup(name: string): Promise<void> {
    return later(() => void this.#groups.delete(name));
  }
  topicForSend(name: string, queues: number): Promise<Topic> {
    return later(() => {
      if (!this.autoCreate) return this.#known(name);
      checkTopicName(name);
      return this.#topics.get(name) ?? this.#putTopic(name, { ...topicDefaults, queues }, false);
    });
  }
  groupForUse(name: string): Promise<Group> {
    return later(() => {
      const known = this.#groups.get(name);
      if (known) return known;
      if (this.autoCreate) return this.#putGroup(name, defaultGroupSettings);
      throw new BrokerError("group_not_found", `Cannot use group ${name}: there is none`);
    });
  }

  send(request: SendRequest): Promise<SendReceipt[]> {
    return later(() => {
      this.sends.push(request);
      const { queues } = this.#known(request.topic).settings;
      const fault = this.sendFault?.(request);
      if (fault) throw new BrokerError(fault, `Cannot send to ${request.topic}: ${fault}`);
      const { queueId, shardingKey } = request;
      const chosen = queueId ??
        (shardingKey === undefined
          ? this.#turn++ % queues
          : (javaHash(shardingKey) >>> 0) % queues);
      return this.#append(request, chosen);
    });
  }

  pull(request: PullRequest): Promise<PullResult> {
    const { topic, queueId } = request;
    const look = (isLast: boolean) => pulled(this.#queue(topic, queueId), request, isLast);
    return this.#polls.park(request, look);
  }

  receive(request: ReceiveRequest): Promise<ReceivedMessage[]> {
    this.receives.push(request);
    const look = (isLast: boolean): ReceivedMessage[] | undefined => {
      const { queues } = this.#known(request.topic).settings;
      const group = this.#groups.get(request.group);
      if (!group) throw new BrokerError("group_not_found");
      const received: ReceivedMessage[] = [];
      for (let queueId = 0; queueId < queues; queueId++) this.#lease(request, queueId, received);
      return received.length > 0 || isLast ? received : undefined;
    };
    return this.#polls.park(request, look);
  }

  receiptOf(group: string, { topic, queueId, offset, lease }: LeaseName): string {
    return `${group}:${topic}/${queueId}/${offset}:${lease}`;
  }

  ack(group: string, receipts: readonly string[]) {
    return later(() => receipts.map((receipt) => this.#settle(group, receipt, () => {})));
  }
  nack(group: string, receipts: readonly string[], delayMs: number | null) {
    return later(() => {
      const verdicts = receipts.map((receipt) =>
        this.#settle(group, receipt, (lease) => {
          const dueMs = this.clock.monotonicMs() + (delayMs ?? 10_000);
          this.#place(group, lease.topic, lease.queueId).again.push({ ...lease, dueMs });
        })
      );
      this.#polls.wake();
      return verdicts;
    });
  }
  extend(group: string, receipts: readonly string[], invisibleMs: number) {
    return later(() =>
      receipts.map((receipt) => {
        const untilMs = this.clock.monotonicMs() + invisibleMs;
        const verdict = this.#settle(group, receipt, (lease) => {
          this.#state(group).leases.set(receipt, { ...lease, untilMs });
        });
        return { ...verdict, invisibleUntilMs: this.clock.wallMs() + invisibleMs };
      })
    );
  }

  places(group: string, topic: string | null): Promise<QueuePlace[]> {
    return later(() => {
      const names = topic === null ? [...this.#topics.keys()] : [topic];
      return names.flatMap((name) =>
        (this.#queues.get(name) ?? []).flatMap((queue, queueId) => {
          const place = placeOf(name, queueId, queue, this.#state(group));
          return topic === null && place.nextOffset === null ? [] : [place];
        })
      );
    });
  }
  commitOffset(group: string, topic: string, queueId: number, offset: number): Promise<void> {
    return later(() => {
      this.#place(group, topic, queueId).next = offset;
    });
  }
  async resetOffsets(group: string, topic: string, target: ResetTarget): Promise<QueuePlace[]> {
    for (const [queueId, queue] of (this.#queues.get(topic) ?? []).entries()) {
      const next = target.kind === "offset"
        ? target.queueId === queueId ? target.offset : null
        : target.kind === "offsets"
        ? target.offsets.find((each) => each.queueId === queueId)?.offset ?? null
        : target.kind === "earliest"
        ? queue.minOffset
        : target.kind === "latest"
        ? queue.records.length
        : await this.offsetAtTime(topic, queueId, target.ms);
      if (next === null) continue;
      const place = this.#place(group, topic, queueId);
      place.next = next;
      place.again = [];
    }
    this.#state(group).leases.clear();
    return await this.places(group, topic);
  }
  queueRanges(topic: string) {
    return later(() => {
      this.#known(topic);
      return (this.#queues.get(topic) ?? []).map(({ minOffset, records }) => {
        return { minOffset, maxOffset: records.length };
      });
    });
  }
  offsetAtTime(topic: string, queueId: number, ms: number): Promise<number> {
    return later(() => {
      const { records } = this.#queue(topic, queueId);
      const at = records.findIndex((record) => readRecord(record).storedMs >= ms);
      return at === -1 ? records.length : at;
    });
  }

  findByPhysicalOffset(physicalOffset: number): Promise<FoundMessage | null> {
    return later(() => {
      const stored = this.#byPosition[physicalOffset];
      if (!stored) return null;
      const { topic, queueId, offset } = stored;
      return { topic, queueId, record: this.#queue(topic, queueId).records[offset]! };
    });
  }
  findById(topic: string | null, messageId: string): Promise<FoundMessage[]> {
    return later(() =>
      this.#find(topic, (record) => {
        return readProperty(recordProperties(record, 0), "UNIQ_KEY") === messageId;
      })
    );
  }
  findByKey(topic: string, key: string, messagesMax: number): Promise<FoundMessage[]> {
    return later(() =>
      this.#find(topic, (record) => {
        return (readProperty(recordProperties(record, 0), "KEYS") ?? "").split(" ").includes(key);
      }).slice(0, messagesMax)
    );
  }
  findByTime(topic: string, fromMs: number, toMs: number, messagesMax: number) {
    return later(() =>
      this.#find(topic, (record) => {
        const { storedMs } = readRecord(record);
        return storedMs >= fromMs && storedMs < toMs;
      }).slice(0, messagesMax)
    );
  }

  compile(expression: Expression): Promise<Filter> {
    return later((): Filter => {
      this.compiles++;
      if (expression.language === "SQL92") return compileExpression(expression);
      const tags = expression.text.split("||").map((tag) => tag.trim());
      if (tags.includes("")) throw new BrokerError("filter_invalid", "Cannot read an empty tag");
      return { kind: "tags", tags, hashes: tags.map(javaHash) };
    });
  }
  health(): Promise<Health> {
    return Promise.resolve(this.healthy);
  }
  onNews(): () => void {
    return () => {};
  }
  carryReplies(): () => void {
    return () => {};
  }
  subscription(): undefined {}
  disconnected(): void {}
  readonly previewReset = absent;
  readonly placesOfGroups = absent;
  readonly watch = absent;
  readonly undoReset = absent;
  readonly cloneOffsets = absent;
  readonly placeEvents = absent;
  readonly parkedKeys = absent;
  readonly settleKey = absent;
  readonly explain = absent;
  readonly request = absent;
  readonly reply = absent;
  readonly sendBack = absent;
  readonly heartbeat = absent;
  readonly unregister = absent;
  readonly consumers = absent;
  readonly members = { consumerIds: absent, repeatBeat: absent };
  readonly producers = absent;
  readonly lockQueues = absent;
  readonly unlockQueues = absent;
  readonly keyValue = absent;
  readonly putKeyValue = absent;
  readonly keyValues = absent;

  #putTopic(name: string, settings: TopicSettings, system: boolean): Topic {
    const queues = this.#queues.get(name) ?? [];
    while (queues.length < settings.queues) queues.push({ minOffset: 0, records: [] });
    this.#queues.set(name, queues);
    const version = (this.#topics.get(name)?.version ?? 0) + 1;
    const queueRefs = queues.map((_, index) => ({ queueKey: index + 1, shard: 0 }));
    const timerQueues = this.#topics.get(name)?.timerQueues ?? queueRefs.length;
    const queuesOf = { queueRefs, timerQueues, formerQueues: [] };
    const topic = { name, version, settings, ...queuesOf, system, createdMs: 1 };
    this.#topics.set(name, topic);
    return topic;
  }

  #putGroup(name: string, settings: GroupSettings): Group {
    const version = (this.#groups.get(name)?.version ?? 0) + 1;
    const group = { name, groupKey: 1, version, settings, createdMs: 1 };
    this.#groups.set(name, group);
    return group;
  }

  #known(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic) return topic;
    throw new BrokerError("topic_not_found", `Cannot find topic ${name}`);
  }

  #queue(topic: string, queueId: number): Queue {
    this.#known(topic);
    const queue = this.#queues.get(topic)?.[queueId];
    if (queue) return queue;
    throw new BrokerError("queue_not_found", `Cannot find queue ${queueId} of ${topic}`);
  }

  #append(request: SendRequest, queueId: number): SendReceipt[] {
    const { topic, storeHost } = request;
    const queue = this.#queue(topic, queueId);
    const storedMs = this.clock.wallMs();
    const receipts = request.messages.map((message): SendReceipt => {
      const physicalOffset = this.#positions++;
      const offset = queue.records.length;
      const messageId = readProperty(message.properties, "UNIQ_KEY") ?? `made-${physicalOffset}`;
      const properties = withProperty(message.properties, "UNIQ_KEY", messageId);
      const place = { queueId, queueOffset: offset, physicalOffset, storedMs, storeHost };
      queue.records.push(recordOf({ ...message, properties }, topic, place));
      this.#byPosition.push({ topic, queueId, offset });
      const survived = this.#known(topic).settings.durability;
      const repeated = false;
      return { messageId, queueId, offset, physicalOffset, storedMs, survived, repeated };
    });
    this.#polls.wake();
    return receipts;
  }

  #lease(request: ReceiveRequest, queueId: number, received: ReceivedMessage[]): void {
    const { topic, group, filter } = request;
    const queue = this.#queue(topic, queueId);
    const place = this.#place(group, topic, queueId);
    const state = this.#state(group);
    const nowMs = this.clock.monotonicMs();
    for (const [receipt, lease] of state.leases) {
      const isOver = lease.untilMs <= nowMs && lease.topic === topic && lease.queueId === queueId;
      if (!isOver) continue;
      state.leases.delete(receipt);
      place.again.push({ offset: lease.offset, dueMs: nowMs });
    }
    while (received.length < request.messagesMax) {
      const dueAt = place.again.findIndex(({ dueMs }) => dueMs <= nowMs);
      const offset = dueAt === -1 ? place.next : place.again.splice(dueAt, 1)[0]!.offset;
      if (dueAt === -1) {
        if (place.next >= queue.records.length) return;
        place.next++;
      }
      const record = queue.records[offset]!;
      if (!passes(filter, record)) continue;
      const key = `${topic}/${queueId}/${offset}`;
      const attempt = (state.attempts.get(key) ?? 0) + 1;
      state.attempts.set(key, attempt);
      const lease = ++this.#leases;
      const receipt = `${group}:${key}:${lease}`;
      const untilMs = nowMs + request.invisibleMs;
      state.leases.set(receipt, { topic, queueId, offset, untilMs, lease });
      const invisibleUntilMs = this.clock.wallMs() + request.invisibleMs;
      received.push({ queueId, offset, attempt, invisibleUntilMs, lease, receipt, record });
    }
  }

  #settle(group: string, receipt: string, then: (lease: Lease) => void) {
    return settled(this.#state(group), group, receipt, then);
  }

  #state(group: string): GroupState {
    const known = this.#states.get(group);
    if (known) return known;
    const made: GroupState = { places: new Map(), leases: new Map(), attempts: new Map() };
    this.#states.set(group, made);
    return made;
  }

  #place(group: string, topic: string, queueId: number): Place {
    const { places } = this.#state(group);
    const key = `${topic}/${queueId}`;
    const known = places.get(key);
    if (known) return known;
    const queue = this.#queue(topic, queueId);
    const startFrom = this.#groups.get(group)?.settings.startFrom;
    const next = startFrom === "latest" ? queue.records.length : queue.minOffset;
    const made: Place = { next, again: [] };
    places.set(key, made);
    return made;
  }

  #find(topic: string | null, wanted: (record: Uint8Array) => boolean): FoundMessage[] {
    return found(this.#queues, topic, wanted);
  }
}
