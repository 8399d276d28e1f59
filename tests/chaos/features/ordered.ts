/**
 * Ordered sends: each key is one producer's, which sends nothing more of it before it heard, or has
 * to give up hearing, what became of the last.
 *
 * @module
 */
import { asked, keepOn, type Stage } from "./actor.ts";

const keysOfProducer = 8;
const batchMax = 8;

/** One producer of messages with keys. */
export async function sendInOrder(stage: Stage, name: string): Promise<void> {
  const serials = new Array<number>(keysOfProducer).fill(0);
  const { journal, topic, prng } = stage;
  await keepOn(stage, async () => {
    const batch = Array.from({ length: prng.between(1, batchMax) }, () => {
      const at = prng.int(keysOfProducer);
      const serial = serials[at] ?? 0;
      serials[at] = serial + 1;
      const shardingKey = `${name}-${at}`;
      return { body: `${shardingKey}/${serial}`, shardingKey };
    });
    journal.note(batch.map(({ body, shardingKey }) => ({ deed: "sent", body, shardingKey })));
    const path = `POST /v1/topics/${topic}/messages`;
    const { receipts } = await asked(stage, path, { messages: batch });
    journal.note(batch.map(({ body }, at) => {
      const { queueId, offset } = receipts[at];
      return { deed: "stored", body, queueId, offset };
    }));
  });
}
