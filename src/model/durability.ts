/** What an acknowledgement survived. @module */

/** What a topic asks of the disk before a send is acknowledged. */
export type Durability = "process-crash" | "power-loss";

/** What a receipt says it survived. `replica`: a majority of nodes has it. */
export type Survived = Durability | "replica";

/** Whether `text` names a durability. */
export function isDurability(text: string): text is Durability {
  return text === "process-crash" || text === "power-loss";
}
