/**
 * The door with nothing but maps behind it: what protocol tests talk to. It keeps real records, so
 * that what a test pulls is what a client would get. Waiting pulls wake on a send or on `advance`.
 *
 * @module
 */
import { ByteWriter } from "../../../src/base/bytes.ts";
import { ManualClock } from "../../../src/base/clock.ts";
import type {
  Broker,
  BrokerNews,
  ConsumerMember,
  FoundMessage,
  HeartbeatAsk,
  LeaseName,
  LockAsk,
  PullRequest,
  PullResult,
  QueuePlace,
  ReceiveRequest,
  SendBackRequest,
  SendRequest,
  UnregisterAsk,
  WatchRequest,
} from "../../../src/broker/broker.ts";
import { Traffic } from "../../../src/broker/traffic.ts";
import type { ShardStats } from "../../../src/link/shard_messages.ts";
import { BrokerError } from "../../../src/model/errors.ts";
import { defaultGroupSettings, type Group, type GroupSettings } from "../../../src/model/group.ts";
import type { NewMessage, SendReceipt } from "../../../src/model/message.ts";
import {
  packPhysicalOffset,
  UniqueKeys,
  unpackPhysicalOffset,
} from "../../../src/model/message_id.ts";
import { deadLetterTopicOf, isDerivedTopic, retryTopicOf } from "../../../src/model/names.ts";
import { propertyNames, readProperty } from "../../../src/model/properties.ts";
import { recordStoredMs, writeRecord } from "../../../src/model/record.ts";
import type { Expression, Filter } from "../../../src/model/subscription.ts";
import type { Topic, TopicSettings } from "../../../src/model/topic.ts";
import {
  absent,
  absentDeadLetters,
  absentTimers,
  absentTransactions,
} from "../../support/memory_broker_parts.ts";
import { MemoryLeases } from "./memory_leases.ts";
import { MemoryMembers } from "./memory_members.ts";
import { MemoryResets } from "./memory_resets.ts";
import {
  compiled,
  propertyOf,
  type Queue,
  readQueue,
  topicDefaults,
  withKey,
} from "./memory_messages.ts";

type Waiter = { request: PullRequest; dueMs: number; answer: (result: PullResult) => void };

/** Keeps everything in memory. Fields are open, so that tests can look and bend. */
export class MemoryBroker implements Broker {
  readonly timers = absentTimers;
  readonly transactions = absentTransactions;
  readonly deadLetters = absentDeadLetters;
  readonly undoReset = absent;
  readonly placeEvents = absent;
  readonly parkedKeys = absent;
  readonly settleKey = absent;
  readonly explain = absent;
  readonly request = absent;
  readonly reply = absent;
  readonly carryReplies = () => () => {};
  readonly clock = new ManualClock();
  readonly traffic = new Traffic(this.clock);
  readonly members = new MemoryMembers(this.clock);
  readonly leases = new MemoryLeases(
    this.clock,
    (topic, queueId) => this.queueMap.get(`${topic}/${queueId}`),
  );
  readonly uniqueKeys = new UniqueKeys(this.clock, new Uint8Array(10).fill(7));
  readonly topicMap = new Map<string, Topic>();
  readonly groupMap = new Map<string, Group>();
  readonly queueMap = new Map<string, Queue>();
  readonly byPosition: { topic: string; queueId: number; record: Uint8Array }[] = [];
  readonly sends: SendRequest[] = [];
  readonly sentBack: SendBackRequest[] = [];
  readonly heartbeats = this.members.heartbeats;
  readonly unregistered: UnregisterAsk[] = [];
  readonly gone: number[] = [];
  readonly offsets = new Map<string, number>();
  readonly locks = new Map<string, string>();
  readonly table = new Map<string, string>();
  readonly waiters = new Set<Waiter>();
  readonly news = new Set<BrokerNews>();
  /** What the shards say of themselves. */
  shardsStats: readonly ShardStats[] = [];
  autoCreateTopics = true;
  autoCreateGroups = true;
  /** What the next operations fail with, instead of being done. */
  failure: unknown = undefined;
  #keys = 0;

  topic(name: string): Topic | undefined {
    return this.topicMap.get(name);
  }

  group(name: string): Group | undefined {
    return this.groupMap.get(name);
  }

  topics(): readonly Topic[] {
    return [...this.topicMap.values()];
  }

  groups(): readonly Group[] {
    return [...this.groupMap.values()];
  }

  /** Makes a topic at once, for a test's first paragraph. */
  addTopic(name: string, settings: Partial<TopicSettings> = {}): Topic {
    const all = { ...topicDefaults, ...settings };
    const refOf = () => ({ queueKey: ++this.#keys, shard: 0 });
    const queueRefs = Array.from({ length: all.queues }, refOf);
    const createdMs = this.clock.wallMs();
    const version = ++this.#keys;
    const system = isDerivedTopic(name);
    const rest = { settings: all, timerQueues: all.queues, formerQueues: [], system, createdMs };
    const topic: Topic = { name, version, queueRefs, ...rest };
    this.topicMap.set(name, topic);
    for (let id = 0; id < all.queues; id++) {
      const key = `${name}/${id}`;
      if (!this.queueMap.has(key)) this.queueMap.set(key, { records: [], minOffset: 0 });
    }
    return topic;
  }

  /** Makes a group at once. */
  addGroup(name: string, settings: Partial<GroupSettings> = {}): Group {
    const group: Group = {
      name,
      groupKey: ++this.#keys,
      version: ++this.#keys,
      settings: { ...defaultGroupSettings, ...settings },
      createdMs: this.clock.wallMs(),
    };
    this.groupMap.set(name, group);
    for (const topic of [retryTopicOf(name), deadLetterTopicOf(name)]) {
      if (!this.topicMap.has(topic)) this.addTopic(topic, { queues: 1 });
    }
    return group;
  }

  /** Forgets the oldest messages of a queue, as retention would. */
  trim(topic: string, queueId: number, minOffset: number): void {
    this.#queue(topic, queueId).minOffset = minOffset;
  }

  /** Time passes: pulls that waited long enough are answered. */
  advance(ms: number): void {
    this.clock.advance(ms);
    this.leases.wake();
    for (const waiter of [...this.waiters]) {
      if (waiter.dueMs > this.clock.monotonicMs()) continue;
      this.waiters.delete(waiter);
      waiter.answer(this.#read(waiter.request));
    }
  }

  /** Tells the sessions that a group's members changed. */
  announce(group: string, connections: readonly number[]): void {
    for (const each of this.news) each.membersChanged(group, connections);
  }

  async createTopic(name: string, settings: Partial<TopicSettings>): Promise<Topic> {
    await this.#work();
    if (this.topicMap.has(name)) throw new BrokerError("topic_exists");
    return this.addTopic(name, settings);
  }

  async changeTopic(name: string, settings: Partial<TopicSettings>): Promise<Topic> {
    await this.#work();
    return this.addTopic(name, { ...this.#topic(name).settings, ...settings });
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#work();
    this.#topic(name);
    this.topicMap.delete(name);
  }

  async createGroup(name: string, settings: Partial<GroupSettings>): Promise<Group> {
    await this.#work();
    if (this.groupMap.has(name)) throw new BrokerError("group_exists");
    return this.addGroup(name, settings);
  }

  async changeGroup(name: string, settings: Partial<GroupSettings>): Promise<Group> {
    await this.#work();
    return this.addGroup(name, { ...this.#group(name).settings, ...settings });
  }

  async deleteGroup(name: string): Promise<void> {
    await this.#work();
    this.#group(name);
    this.groupMap.delete(name);
  }

  async topicForSend(name: string, queues: number): Promise<Topic> {
    await this.#work();
    if (!this.autoCreateTopics || isDerivedTopic(name)) return this.#topic(name);
    return this.topicMap.get(name) ?? this.addTopic(name, { queues });
  }

  async groupForUse(name: string): Promise<Group> {
    await this.#work();
    const known = this.groupMap.get(name);
    if (known !== undefined) return known;
    if (!this.autoCreateGroups) throw new BrokerError("group_not_found");
    return this.addGroup(name);
  }

  async send(request: SendRequest): Promise<SendReceipt[]> {
    await this.#work();
    this.#topic(request.topic);
    const queueId = request.queueId ?? 0;
    const messages = request.messages.map((message) => withKey(message, this.uniqueKeys));
    this.sends.push(request);
    const receipts = messages.map((message) => this.#store(request, queueId, message));
    this.traffic.put(request.topic, messages.length, 1);
    this.#wake(request.topic, queueId);
    this.leases.wake();
    return receipts;
  }

  async pull(request: PullRequest): Promise<PullResult> {
    await this.#work();
    const result = this.#read(request);
    const { topic, group } = request;
    if (group !== undefined && result.count > 0) this.traffic.got(topic, group, result.count, 1);
    if (result.outcome !== "empty" || request.waitMs === 0) return result;
    return await new Promise((answer, fail) => {
      const waiter = { request, dueMs: this.clock.monotonicMs() + request.waitMs, answer };
      this.waiters.add(waiter);
      request.signal?.addEventListener("abort", () => {
        this.waiters.delete(waiter);
        fail(new BrokerError("shutting_down", "The client is gone"));
      });
    });
  }

  // What this protocol does not use yet.
  readonly nack = absent;
  readonly findByTime = absent;
  readonly moves = new MemoryResets(this);
  readonly previewReset = this.moves.preview;
  readonly placesOfGroups = this.moves.placesOfGroups;
  readonly resetOffsets = this.moves.reset;
  readonly cloneOffsets = this.moves.clone;

  readonly receive = (request: ReceiveRequest) => this.leases.receive(request);
  readonly watch = (request: WatchRequest) => this.leases.watch(request);
  readonly receiptOf = (group: string, name: LeaseName) => this.leases.receiptOf(group, name);
  readonly ack = (_group: string, receipts: readonly string[]) => this.leases.ack(receipts);
  readonly extend = (_group: string, receipts: readonly string[], invisibleMs: number) =>
    this.leases.extend(receipts, invisibleMs);

  async sendBack(request: SendBackRequest): Promise<void> {
    await this.#work();
    const { position } = unpackPhysicalOffset(request.physicalOffset);
    if (this.byPosition[position - 1] === undefined) throw new BrokerError("message_not_found");
    this.sentBack.push(request);
  }

  async places(group: string, topic: string | null): Promise<QueuePlace[]> {
    await this.#work();
    this.#group(group);
    const topics = topic === null ? this.topics() : [this.#topic(topic)];
    const places = topics.flatMap(({ name, queueRefs }) =>
      queueRefs.map((_, queueId) => this.#place(group, name, queueId))
    );
    return topic === null ? places.filter((place) => place.committedOffset !== null) : places;
  }

  async commitOffset(group: string, topic: string, queueId: number, offset: number) {
    await this.#work();
    this.#group(group);
    this.#queue(topic, queueId);
    this.offsets.set(`${group}@${topic}/${queueId}`, offset);
  }

  async queueRanges(topic: string) {
    await this.#work();
    return this.#topic(topic).queueRefs.map((_, queueId) => {
      const { minOffset, records } = this.#queue(topic, queueId);
      return { minOffset, maxOffset: records.length };
    });
  }

  async offsetAtTime(topic: string, queueId: number, ms: number): Promise<number> {
    await this.#work();
    const { records, minOffset } = this.#queue(topic, queueId);
    const found = records.findIndex((record, offset) =>
      offset >= minOffset && recordStoredMs(record, 0) >= ms
    );
    return found === -1 ? records.length : found;
  }

  async findByPhysicalOffset(physicalOffset: number): Promise<FoundMessage | null> {
    await this.#work();
    return this.byPosition[unpackPhysicalOffset(physicalOffset).position - 1] ?? null;
  }

  findById(topic: string | null, messageId: string): Promise<FoundMessage[]> {
    return this.#find((found) =>
      (topic === null || found.topic === topic) &&
      propertyOf(found, propertyNames.uniqueKey) === messageId
    );
  }

  async findByKey(topic: string, key: string, messagesMax: number): Promise<FoundMessage[]> {
    const all = await this.#find((found) =>
      found.topic === topic &&
      (propertyOf(found, propertyNames.keys) ?? "").split(" ").includes(key)
    );
    return all.slice(0, messagesMax);
  }

  async compile(expression: Expression): Promise<Filter> {
    await this.#work();
    return compiled(expression);
  }

  subscription(group: string, topic: string) {
    const found = this.members.consumers(group).flatMap((member) => member.membership.subscriptions)
      .find((each) => each.topic === topic);
    if (found === undefined) return undefined;
    return { filter: compiled(found.expression), version: found.version };
  }

  async heartbeat(ask: HeartbeatAsk) {
    await this.#work();
    this.heartbeats.push(ask);
    return { subscriptionsChanged: false };
  }

  async unregister(ask: UnregisterAsk): Promise<void> {
    await this.#work();
    this.unregistered.push(ask);
  }

  disconnected(connection: number): void {
    this.gone.push(connection);
  }

  async consumers(group: string): Promise<readonly ConsumerMember[]> {
    await this.#work();
    return this.members.consumers(group);
  }

  async producers(group: string | null) {
    await this.#work();
    return this.members.producers(group);
  }

  async lockQueues(ask: LockAsk): Promise<LockAsk["queues"]> {
    await this.#work();
    return ask.queues.filter(({ topic, queueId }) => {
      const key = `${ask.group}@${topic}/${queueId}`;
      const owner = this.locks.get(key) ?? ask.clientId;
      if (owner === ask.clientId) this.locks.set(key, owner);
      return owner === ask.clientId;
    });
  }

  async unlockQueues(ask: LockAsk): Promise<void> {
    await this.#work();
    for (const { topic, queueId } of ask.queues) {
      const key = `${ask.group}@${topic}/${queueId}`;
      if (this.locks.get(key) === ask.clientId) this.locks.delete(key);
    }
  }

  async keyValue(namespace: string, key: string): Promise<string | null> {
    await this.#work();
    return this.table.get(`${namespace}/${key}`) ?? null;
  }

  async putKeyValue(namespace: string, key: string, value: string | null): Promise<void> {
    await this.#work();
    if (value === null) this.table.delete(`${namespace}/${key}`);
    else this.table.set(`${namespace}/${key}`, value);
  }

  async keyValues(namespace: string): Promise<Readonly<Record<string, string>>> {
    await this.#work();
    const prefix = `${namespace}/`;
    const inside = [...this.table].filter(([key]) => key.startsWith(prefix));
    return Object.fromEntries(inside.map(([key, value]) => [key.slice(prefix.length), value]));
  }

  onNews(news: BrokerNews): () => void {
    this.news.add(news);
    return () => this.news.delete(news);
  }

  async health() {
    await this.#work();
    const shards = this.shardsStats.map((stats, shard) => ({ shard, stats }));
    return { ready: true, problems: [], shards };
  }

  /** Every operation takes a turn, and fails if the test says so. */
  async #work(): Promise<void> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
  }

  #topic(name: string): Topic {
    const topic = this.topicMap.get(name);
    if (topic === undefined) throw new BrokerError("topic_not_found");
    return topic;
  }

  #group(name: string): Group {
    const group = this.groupMap.get(name);
    if (group === undefined) throw new BrokerError("group_not_found");
    return group;
  }

  #queue(topic: string, queueId: number): Queue {
    const queue = this.queueMap.get(`${this.#topic(topic).name}/${queueId}`);
    if (queue === undefined) throw new BrokerError("queue_not_found");
    return queue;
  }

  #store(request: SendRequest, queueId: number, message: NewMessage): SendReceipt {
    const { topic, storeHost } = request;
    const queue = this.#queue(topic, queueId);
    const storedMs = this.clock.wallMs();
    const physicalOffset = packPhysicalOffset(0, this.byPosition.length + 1);
    const writer = new ByteWriter();
    const queueOffset = queue.records.length;
    writeRecord(writer, {
      ...message,
      ...{ topic, queueId, queueOffset, physicalOffset, storedMs, storeHost },
      preparedTransactionOffset: 0,
    });
    const record = writer.view().slice();
    queue.records.push(record);
    this.byPosition.push({ topic, queueId, record });
    return {
      messageId: readProperty(message.properties, propertyNames.uniqueKey) ?? "",
      queueId,
      offset: queueOffset,
      physicalOffset,
      storedMs,
      survived: "power-loss",
      repeated: false,
    };
  }

  #wake(topic: string, queueId: number): void {
    for (const waiter of [...this.waiters]) {
      if (waiter.request.topic !== topic || waiter.request.queueId !== queueId) continue;
      this.waiters.delete(waiter);
      waiter.answer(this.#read(waiter.request));
    }
  }

  #read(request: PullRequest): PullResult {
    return readQueue(this.#queue(request.topic, request.queueId), request);
  }

  #place(group: string, topic: string, queueId: number): QueuePlace {
    const committedOffset = this.offsets.get(`${group}@${topic}/${queueId}`) ?? null;
    const { minOffset, records } = this.#queue(topic, queueId);
    const maxOffset = records.length;
    const lag = maxOffset - (committedOffset ?? minOffset);
    const nextOffset = committedOffset;
    const openDeliveries = 0;
    const base = { topic, queueId, committedOffset, nextOffset, openDeliveries };
    return { ...base, minOffset, maxOffset, lag, unmatched: 0, expired: 0 };
  }

  /** The newest heartbeat of each client counts. */
  async #find(isWanted: (found: FoundMessage) => boolean): Promise<FoundMessage[]> {
    await this.#work();
    return this.byPosition.filter(isWanted);
  }
}
