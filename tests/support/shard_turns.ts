/** Turns of a shard, planned and committed by hand: for tests of what a turn decides. @module */
import { ByteWriter } from "../../src/base/bytes.ts";
import { encodeProperties } from "../../src/model/properties.ts";
import { readRecord, recordBytes, type RecordFields, writeRecord } from "../../src/model/record.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import { TurnDraft } from "../../workers/shard/draft.ts";
import { ShardState } from "../../workers/shard/state.ts";
import { SimDisk } from "../simulation/sim_store.ts";

/** When these tests begin. */
export const startMs = 1_700_000_000_000;

/** A stored record with this body and unique key. */
export function recordOf(body: string, messageId: string, topic = "orders"): Uint8Array {
  const host = { ip: "127.0.0.1", port: 9876 };
  const fields: RecordFields = {
    queueId: 0,
    flag: 0,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: 0,
    bornMs: startMs,
    bornHost: host,
    storedMs: 0,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new TextEncoder().encode(body),
    topic,
    properties: encodeProperties([["UNIQ_KEY", messageId]]),
  };
  const writer = new ByteWriter(recordBytes(fields));
  writeRecord(writer, fields);
  return writer.view().slice();
}

/** One shard on a disk in memory, whose turns happen when they are told to. */
export class ShardTurns {
  readonly disk = new SimDisk();
  store: ShardStore = this.disk.open();
  state = new ShardState(this.store);
  nowMs = startMs;

  /** Plans and commits one turn. */
  turn<Answer>(plan: (draft: TurnDraft) => Answer): Answer {
    const draft = new TurnDraft(this.store, 0, this.nowMs);
    const answer = plan(draft);
    const record = draft.finish(this.state.takeWrites());
    if (record !== null) this.store.commit(record);
    return answer;
  }

  /** The process ends and begins again. */
  restart(): void {
    this.store = this.disk.open();
    this.state = new ShardState(this.store);
  }

  /** The bodies in a queue, in order. */
  bodies(queueKey: number): string[] {
    const positions = this.store.entries(queueKey, 0, 1000).map(({ position }) => position);
    return this.store.records(positions)
      .map((record) => new TextDecoder().decode(readRecord(record).body));
  }
}
