/** Seeds that once failed, each with what it found. They run first, for ever. @module */

/** Seed → its history. Options are drawn anew, so a seed proves most on the day it is added. */
export const formerFailures: ReadonlyMap<number, string> = new Map([
  [29, "a poll that waited brought a deleted group back, in which its topic lived on"],
  [76, "messages sent back stayed hidden for ever after a turn found the disk full"],
  [91, "a dead letter of a deleted group went to its dropped queue and ended the thread"],
  [111, "a message that lost a race between two shards used up an attempt nobody saw"],
  [126, "two failed reads in one turn opened the store twice, and kept the closed one"],
  [1119, "a power cut took a group's first place, and retention what it had not read"],
  [383, "a timer called off in one shard was an error, because another shard had no room"],
  [807, "an old receipt given back after its key was armed anew ended the shard's thread"],
  [489, "acknowledged after a reset, a message that had died before was explained as dead"],
  [207, "what a puller gave back before it lost its place was held to be dead, and it comes again"],
  [730, "set back since a topic was made, the clock had its ids taken for an earlier topic's"],
  [1813, "acknowledged after a reset was undone, what had died before was explained as dead"],
  [5542, "a dead message was explained by the retry of its copy from the dead letters"],
  [1833, "what had expired was held to be finished by an old receipt"],
  [5241, "a timer called off and sent again was seen before its client was told, and held wrong"],
]);
