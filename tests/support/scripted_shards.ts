/** Shards that answer by a script, behind real links: for tests of what asks shards. @module */
import { RegistryView } from "../../src/broker/registry_view.ts";
import { ShardRouter } from "../../src/broker/shard_router.ts";
import { type AnswerOf, LinkClient, type RequestOf } from "../../src/link/client.ts";
import { type Asked, LinkServer } from "../../src/link/server.ts";
import { type ShardOperations, shardOperations } from "../../src/link/shard_messages.ts";
import { ManualClock } from "../../src/base/clock.ts";
import { defaultGroupSettings, type Group } from "../../src/model/group.ts";
import { UniqueKeys } from "../../src/model/message_id.ts";
import { permReadWrite, type Topic, type TopicSettings } from "../../src/model/topic.ts";
import type { Signer } from "../../src/ports/signer.ts";
import { portPair } from "./thread_ports.ts";

type Name = keyof ShardOperations & string;

/** Name → answer. What throws is a refusal; what answers `undefined` stays parked. */
export type Script = {
  readonly [N in Name]?: (
    request: RequestOf<ShardOperations, N>,
    shard: number,
  ) => AnswerOf<ShardOperations, N> | undefined;
};

/** Notes what it is asked, and answers by its script. */
export class ScriptedShards {
  readonly router: ShardRouter;
  readonly view = new RegistryView();
  /** Everything asked, as "shard name". */
  readonly asked: string[] = [];
  /** The same with the requests. */
  readonly requests: { readonly shard: number; readonly asked: Asked<ShardOperations> }[] = [];
  readonly links: LinkClient<ShardOperations>[] = [];
  script: Script;

  constructor(shards: number, script: Script) {
    this.router = new ShardRouter(shards);
    this.script = script;
    for (let shard = 0; shard < shards; shard++) this.#connect(shard);
  }

  #connect(shard: number): void {
    const [near, far] = portPair();
    const server = new LinkServer(shardOperations, far, () => {
      for (const asked of server.take()) this.#answer(shard, server, asked);
      server.post();
    });
    const link = new LinkClient(shardOperations, near, 100, () => {});
    this.links.push(link);
    this.router.connect(shard, link);
  }

  #answer(shard: number, server: LinkServer<ShardOperations>, asked: Asked<ShardOperations>): void {
    this.asked.push(`${shard} ${asked.name}`);
    this.requests.push({ shard, asked });
    const { id, name, request } = asked;
    // One script entry a name, so that the request fits; the compiler cannot follow it there.
    const handler = this.script[name] as
      | ((request: unknown, shard: number) => AnswerOf<ShardOperations, Name> | undefined)
      | undefined;
    try {
      const answer = handler?.(request, shard);
      if (answer !== undefined) server.answer(name, id, answer);
    } catch (thrown) {
      server.refuse(id, thrown);
    }
  }
}

/** A topic whose queues lie in these shards, with the keys 1, 2, … after `keysFrom`. */
export function topicIn(
  name: string,
  shards: readonly number[],
  settings: Partial<TopicSettings> = {},
  keysFrom = 0,
): Topic {
  const queueRefs = shards.map((shard, at) => ({ queueKey: keysFrom + at + 1, shard }));
  return {
    name,
    version: 1,
    settings: {
      queues: shards.length,
      durability: "power-loss",
      retentionMs: 1_000,
      retentionBytes: null,
      deleteUnread: false,
      ordered: false,
      messageTtlMs: null,
      dedupe: "off",
      perm: permReadWrite,
      attributes: {},
      ...settings,
    },
    queueRefs,
    timerQueues: queueRefs.length,
    formerQueues: [],
    system: false,
    createdMs: 0,
  };
}

/** A group with the settings of any other. */
export function groupOf(name: string, groupKey: number): Group {
  return { name, groupKey, version: 1, settings: defaultGroupSettings, createdMs: 0 };
}

/** Unique keys by a manual clock. */
export function uniqueKeys(): UniqueKeys {
  return new UniqueKeys(new ManualClock(), new Uint8Array(10));
}

/** Signs by length and first letters: enough to tell a text from another one. */
export const plainSigner: Signer = {
  sign: (text) => text.replaceAll(".", "-").slice(0, 22).padEnd(22, "_"),
  verify: (text, signature) => plainSigner.sign(text) === signature,
};
