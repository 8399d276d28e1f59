/**
 * The door's implementation: one line of order for each operation; the work is in files beside it.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { LinkClient } from "../link/client.ts";
import type {
  CoordinatorNews,
  CoordinatorOperations,
  HeartbeatAsk,
  LockAsk,
  RegistrySnapshot,
  UnregisterAsk,
} from "../link/coordinator_messages.ts";
import { BrokerError } from "../model/errors.ts";
import type { Group, GroupSettings } from "../model/group.ts";
import type { UniqueKeys } from "../model/message_id.ts";
import type { ExplainTarget } from "../model/explanation.ts";
import { isDerivedTopic, regionName } from "../model/names.ts";
import { everything, type Expression, type Filter } from "../model/subscription.ts";
import type { Topic, TopicSettings } from "../model/topic.ts";
import type { HalfCheck } from "../link/transaction_messages.ts";
import type { Log } from "../base/log.ts";
import type { Signer } from "../ports/signer.ts";
import type { Timers } from "../ports/timers.ts";
import type { Webhook } from "../ports/webhook.ts";
import type {
  Broker,
  BrokerNews,
  Health,
  LeaseName,
  PullRequest,
  ReceiveRequest,
  Reply,
  ReplyCarrier,
  ReplyRequest,
  ResetTarget,
  SendBackRequest,
  SendRequest,
  WatchRequest,
} from "./broker.ts";
import { Checks } from "./checks.ts";
import { RecordEncoder } from "./encode.ts";
import type { DeadLetterDesk } from "./dead_letter_desk.ts";
import { DeadLetters } from "./dead_letters.ts";
import { dropGroup, dropQueues } from "./deletions.ts";
import { Explainer } from "./explainer.ts";
import { Finder } from "./find.ts";
import { OtherFilters } from "./group_filters.ts";
import { healthOf } from "./health.ts";
import { Members } from "./members.ts";
import { Offsets } from "./offsets.ts";
import { ParkedKeys } from "./parked_keys.ts";
import { Reader } from "./receive.ts";
import { ReaderKeys } from "./reader_keys.ts";
import type { RegistryView } from "./registry_view.ts";
import { Requests } from "./requests.ts";
import { Sender } from "./send.ts";
import type { ShardRouter } from "./shard_router.ts";
import type { TimerDoor } from "./timer_door.ts";
import { PendingTimers } from "./timers.ts";
import { Traffic } from "./traffic.ts";
import type { TransactionDoor } from "./transaction_door.ts";
import { Transactions } from "./transactions.ts";
import { Watcher } from "./watch.ts";

/** What the door is made of. */
export type DoorParts = {
  readonly view: RegistryView;
  readonly router: ShardRouter;
  readonly coordinator: LinkClient<CoordinatorOperations>;
  readonly signer: Signer;
  readonly uniqueKeys: UniqueKeys;
  readonly clock: Clock;
  readonly settings: {
    readonly autoCreateTopics: boolean;
    readonly autoCreateGroups: boolean;
    readonly dedupeWindowMs: number;
    readonly delayMsMax: number;
    readonly transactionFirstCheckMs: number;
    readonly transactionCheckIntervalMs: number;
    /** `host[:port]`, parted by commas; `null`: nobody is asked by webhook. */
    readonly webhookHosts: string | null;
    readonly clusterName: string;
    /** Whether clients' traces are taken. */
    readonly traceTopic: boolean;
  };
  readonly timers: Timers;
  readonly log: Log;
  /** `null`: nobody is asked by webhook. */
  readonly webhook: Webhook | null;
};

/** The broker of this process: joins the snapshot of names, the shards and the coordinator. */
export class Door implements Broker {
  readonly #parts: DoorParts;
  readonly #sender: Sender;
  readonly #otherFilters: OtherFilters;
  readonly #readerKeys: ReaderKeys;
  readonly #requests: Requests;
  readonly #reader: Reader;
  readonly #watcher: Watcher;
  readonly #offsets: Offsets;
  readonly #finder: Finder;
  readonly #deadLetters: DeadLetters;
  readonly #explainer: Explainer;
  readonly #parkedKeys: ParkedKeys;
  readonly #checks: Checks;
  readonly timers: TimerDoor;
  readonly traffic: Traffic;
  readonly transactions: TransactionDoor;
  readonly members: Members;
  /** One for each protocol. */
  readonly #listeners = new Set<BrokerNews>();

  constructor(parts: DoorParts) {
    const { view, router, signer, uniqueKeys, settings, coordinator, clock } = parts;
    this.#parts = parts;
    this.traffic = new Traffic(clock);
    const encoder = new RecordEncoder(uniqueKeys, settings.traceTopic ? regionName : null);
    this.#sender = new Sender({ view, router, encoder, clock, settings, traffic: this.traffic });
    this.#requests = new Requests({ ...parts, sender: this.#sender });
    this.members = new Members(coordinator);
    this.#otherFilters = new OtherFilters(coordinator, clock);
    const otherFilters = this.#otherFilters;
    this.#readerKeys = new ReaderKeys({ coordinator, router, clock });
    const readerKeys = this.#readerKeys;
    this.#reader = new Reader({ view, router, signer, clock, otherFilters, readerKeys });
    this.#watcher = new Watcher(view, router);
    this.#offsets = new Offsets(view, router, {
      placesMoving: (move) => this.#listeners.forEach((each) => each.placesMoving(move)),
      placesMoved: (move) => this.#listeners.forEach((each) => each.placesMoved(move)),
      placesStayed: (move) => this.#listeners.forEach((each) => each.placesStayed(move)),
    });
    this.#finder = new Finder(view, router);
    this.#deadLetters = new DeadLetters({ ...parts, finder: this.#finder });
    this.#explainer = new Explainer({
      ...parts,
      finder: this.#finder,
      deadLetters: this.#deadLetters,
      filters: this.#otherFilters,
    });
    this.#parkedKeys = new ParkedKeys(view, router);
    this.timers = new PendingTimers(view, router, this.#finder, settings.delayMsMax);
    const intervalMs = settings.transactionCheckIntervalMs;
    this.#checks = new Checks({ ...parts, intervalMs });
    this.transactions = new Transactions({
      view,
      router,
      signer,
      encoder,
      checks: this.#checks,
      settings: {
        delayMsMax: settings.delayMsMax,
        firstCheckMs: settings.transactionFirstCheckMs,
        webhookHosts: hostsOf(settings.webhookHosts),
      },
    });
  }

  /** Takes in what the coordinator knew when the broker started. */
  begin({ topics, groups, filters }: RegistrySnapshot): void {
    for (const wishes of filters) this.#otherFilters.put(wishes);
    for (const topic of topics) this.#parts.view.putTopic(topic);
    for (const group of groups) this.#parts.view.putGroup(group);
  }

  /** Passes the coordinator's news on: to the view, and to the sessions it concerns. */
  heard(news: CoordinatorNews): void {
    this.#parts.view.apply(news);
    if (news.kind === "filters") this.#otherFilters.put(news);
    // What fails now is told again.
    if (news.kind === "readers-gone") this.#readerKeys.drop(news.readerKeys).catch(() => null);
    if (news.kind !== "members") return;
    this.members.changed(news.group);
    for (const listener of this.#listeners) listener.membersChanged(news.group, news.connections);
  }

  /** Passes a shard's questions on to the producers. */
  heardChecks(shard: number, checks: readonly HalfCheck[]): void {
    this.#checks.heard(shard, checks);
  }

  onNews(news: BrokerNews): () => void {
    this.#listeners.add(news);
    return () => this.#listeners.delete(news);
  }

  get deadLetters(): DeadLetterDesk {
    return this.#deadLetters;
  }

  /** Ends what goes on by itself, and answers who waits here, not in a shard: the process stops. */
  close(): void {
    this.#deadLetters.close();
    this.#requests.close();
    this.#checks.close();
  }

  topic(name: string): Topic | undefined {
    return this.#parts.view.topic(name);
  }

  group(name: string): Group | undefined {
    return this.#parts.view.group(name);
  }

  topics(): readonly Topic[] {
    return this.#parts.view.topics();
  }

  groups(): readonly Group[] {
    return this.#parts.view.groups();
  }

  createTopic(name: string, settings: Partial<TopicSettings>): Promise<Topic> {
    return this.#putTopic(name, settings, "create");
  }

  changeTopic(name: string, settings: Partial<TopicSettings>): Promise<Topic> {
    return this.#putTopic(name, settings, "change");
  }

  async deleteTopic(name: string): Promise<void> {
    const topic = await this.#parts.coordinator.ask("deleteTopic", { name });
    await dropQueues(this.#parts.router, topic, this.#parts.log);
  }

  createGroup(name: string, settings: Partial<GroupSettings>): Promise<Group> {
    return this.#putGroup(name, settings, "create");
  }

  changeGroup(name: string, settings: Partial<GroupSettings>): Promise<Group> {
    return this.#putGroup(name, settings, "change");
  }

  async deleteGroup(name: string): Promise<void> {
    const derived = this.topics().filter((topic) => belongsTo(topic, name));
    const { coordinator, router, log } = this.#parts;
    const group = await coordinator.ask("deleteGroup", { name });
    await dropGroup(router, group, log);
    for (const topic of derived) await dropQueues(router, topic, log);
  }

  async topicForSend(name: string, queues: number): Promise<Topic> {
    const known = this.topic(name);
    if (known !== undefined) return known;
    if (!this.#parts.settings.autoCreateTopics || isDerivedTopic(name)) {
      return this.#parts.view.needTopic(name);
    }
    try {
      return await this.#putTopic(name, { queues }, "create");
    } catch (thrown) {
      // Another producer made it a moment ago, with other settings: then it is that one.
      const made = this.topic(name);
      if (made !== undefined && thrown instanceof BrokerError) return made;
      throw thrown;
    }
  }

  async groupForUse(name: string): Promise<Group> {
    const known = this.group(name);
    if (known !== undefined) return known;
    if (this.#parts.settings.autoCreateGroups) return await this.#putGroup(name, {}, "either");
    return this.#parts.view.needGroup(name);
  }

  send(request: SendRequest) {
    return this.#sender.send(request);
  }

  request(request: ReplyRequest): Promise<Reply> {
    return this.#requests.request(request);
  }

  reply(reply: Reply): Promise<void> {
    return this.#requests.reply(reply);
  }

  carryReplies(carrier: ReplyCarrier): () => void {
    return this.#requests.carry(carrier);
  }

  pull(request: PullRequest) {
    try {
      return this.#reader.pull(request, this.traffic);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  async receive(request: ReceiveRequest) {
    const { topic, group } = request;
    await this.groupForUse(group);
    const received = await this.#reader.receive(request);
    if (received.length > 0) {
      const bytes = received.reduce((sum, { record }) => sum + record.length, 0);
      this.traffic.got(topic, group, received.length, bytes);
    }
    return received;
  }

  receiptOf(group: string, name: LeaseName) {
    return this.#reader.receiptOf(group, name);
  }

  ack(group: string, receipts: readonly string[]) {
    return this.#reader.ack(group, receipts);
  }

  nack(group: string, receipts: readonly string[], delayMs: number | null) {
    return this.#reader.nack(group, receipts, delayMs);
  }

  extend(group: string, receipts: readonly string[], invisibleMs: number) {
    return this.#reader.extend(group, receipts, invisibleMs);
  }

  async sendBack(request: SendBackRequest): Promise<void> {
    await this.groupForUse(request.group);
    await this.#reader.sendBack(request);
  }

  async watch(request: WatchRequest): Promise<boolean> {
    await this.groupForUse(request.group);
    return await this.#watcher.watch(request);
  }

  placesOfGroups(groups: readonly string[]) {
    return this.#offsets.placesOfGroups(groups);
  }

  places(group: string, topic: string | null, queueId?: number) {
    return this.#offsets.places(group, topic, queueId);
  }

  async commitOffset(group: string, topic: string, queueId: number, offset: number) {
    await this.groupForUse(group);
    await this.#offsets.commit(group, topic, queueId, offset);
  }

  async resetOffsets(group: string, topic: string, target: ResetTarget, by: string) {
    await this.groupForUse(group);
    return await this.#offsets.reset(group, topic, target, by);
  }

  previewReset(group: string, topic: string, target: ResetTarget) {
    return this.#offsets.preview(group, topic, target);
  }

  undoReset(group: string, topic: string, by: string) {
    return this.#offsets.undo(group, topic, by);
  }

  async cloneOffsets(from: string, to: string, topic: string, by: string) {
    await this.groupForUse(to);
    return await this.#offsets.clone(from, to, topic, by);
  }

  placeEvents(group: string, topic: string) {
    return this.#offsets.events(group, topic);
  }

  parkedKeys(group: string, topic: string) {
    return this.#parkedKeys.list(group, topic);
  }

  settleKey(
    group: string,
    topic: string,
    parked: { readonly queueId: number; readonly offset: number },
    action: "retry" | "skip" | "bury",
    by: string,
  ) {
    return this.#parkedKeys.settle(group, topic, parked, action, by);
  }

  explain(target: ExplainTarget, group: string) {
    return this.#explainer.explain(target, group);
  }

  queueRanges(topic: string) {
    return this.#offsets.ranges(topic);
  }

  offsetAtTime(topic: string, queueId: number, ms: number) {
    return this.#offsets.offsetAtTime(topic, queueId, ms);
  }

  findByPhysicalOffset(physicalOffset: number) {
    return this.#finder.byPhysicalOffset(physicalOffset);
  }

  findById(topic: string | null, messageId: string) {
    return this.#finder.byId(topic, messageId);
  }

  findByKey(topic: string, key: string, messagesMax: number) {
    return this.#finder.byKey(topic, key, messagesMax);
  }

  findByTime(topic: string, fromMs: number, toMs: number, messagesMax: number) {
    return this.#finder.byTime(topic, fromMs, toMs, messagesMax);
  }

  compile(expression: Expression): Promise<Filter> {
    const { language, text } = expression;
    if (language === "TAG" && (text === "*" || text === "")) return Promise.resolve(everything);
    return this.#parts.coordinator.ask("compile", expression);
  }

  subscription(group: string, topic: string) {
    return this.#parts.view.subscription(group, topic);
  }

  async heartbeat(request: HeartbeatAsk) {
    for (const { group } of request.consumers) await this.groupForUse(group);
    return await this.#parts.coordinator.ask("heartbeat", request);
  }

  async unregister(request: UnregisterAsk): Promise<void> {
    await this.#parts.coordinator.ask("unregister", request);
  }

  disconnected(connection: number): void {
    // The coordinator may be gone already while everything stops; members expire by themselves.
    this.#parts.coordinator.ask("disconnect", { connection }).catch(() => null);
  }

  consumers(group: string) {
    return this.#parts.coordinator.ask("consumers", { group });
  }

  producers(group: string | null) {
    return this.#parts.coordinator.ask("producers", { group });
  }

  lockQueues(request: LockAsk) {
    return this.#parts.coordinator.ask("lockQueues", request);
  }

  async unlockQueues(request: LockAsk): Promise<void> {
    await this.#parts.coordinator.ask("unlockQueues", request);
  }

  keyValue(namespace: string, key: string) {
    return this.#parts.coordinator.ask("getKeyValue", { namespace, key });
  }

  async putKeyValue(namespace: string, key: string, value: string | null): Promise<void> {
    await this.#parts.coordinator.ask("putKeyValue", { namespace, key, value });
  }

  keyValues(namespace: string) {
    return this.#parts.coordinator.ask("listKeyValues", { namespace });
  }

  health(): Promise<Health> {
    return healthOf(this.#parts.router);
  }

  async #putTopic(
    name: string,
    settings: Partial<TopicSettings>,
    mode: "create" | "change" | "either",
  ): Promise<Topic> {
    const ask = { name, settings, mode, system: false };
    const topic = await this.#parts.coordinator.ask("putTopic", ask);
    // The answer may overtake the news: whoever is told that it exists must be able to use it.
    this.#parts.view.putTopic(topic);
    return topic;
  }

  async #putGroup(
    name: string,
    settings: Partial<GroupSettings>,
    mode: "create" | "change" | "either",
  ): Promise<Group> {
    const group = await this.#parts.coordinator.ask("putGroup", { name, settings, mode });
    this.#parts.view.putGroup(group);
    return group;
  }
}

function hostsOf(text: string | null): string[] {
  return (text ?? "").split(",").map((host) => host.trim()).filter((host) => host !== "");
}

function belongsTo(topic: Topic, group: string): boolean {
  return isDerivedTopic(topic.name) && topic.name.slice(topic.name.indexOf("%", 1) + 1) === group;
}
