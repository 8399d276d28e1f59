/** The contract of `ShardStore`, on SQLite. @module */
import { StoreFolder } from "../support/store_folder.ts";
import { shardStoreContract } from "./shard_store_contract.ts";
import { waitingContract } from "./waiting_contract.ts";

shardStoreContract("SQLite", () => new StoreFolder());
waitingContract("SQLite", () => new StoreFolder());
// The shortest window flushes in nearly every turn, so that each test reads the index from tables.
shardStoreContract("SQLite, eager flushes", () => {
  const folder = new StoreFolder();
  return { open: () => folder.open({ replayMessagesMax: 2 }), remove: () => folder.remove() };
});
