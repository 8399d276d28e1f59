/** Who takes part in a run, by its options: the clients of the storm. @module */
import type { Prng } from "../../src/base/prng.ts";
import {
  runClockJumps,
  runGroupChurn,
  runResets,
  runShardLosses,
  runTopicChurn,
} from "./admins.ts";
import { clerksCount, runAsker, runClerk } from "./askers.ts";
import type { ClientParts } from "./clients.ts";
import { runConsumer } from "./consumers.ts";
import { pullGroupName, type SimGroup } from "./groups.ts";
import { runInquirer } from "./inquirers.ts";
import { runKeyOperator } from "./key_operators.ts";
import { runPlaceKeeper } from "./place_keeper.ts";
import { runLetterDesk } from "./letter_desk.ts";
import { type Names, runProducer } from "./producers.ts";
import { type Calls, runPuller } from "./pullers.ts";
import { runScreen } from "./screens.ts";
import { runTimerClient } from "./timer_clients.ts";
import { runTopicKeeper } from "./topic_keeper.ts";
import {
  type Halves,
  runCheckAnswers,
  runTransactionOperator,
  runTransactor,
} from "./transactors.ts";

/** What the clients of one run share beside their parts. */
export type Stage = {
  readonly parts: ClientParts;
  readonly groups: readonly SimGroup[];
  readonly names: Names;
  readonly calls: Calls;
  readonly halves: Halves;
};

/** A client, with its own share of chance. */
export type Client = (prng: Prng) => Promise<void>;

/** Who ends with the storm, and who goes on until all is over. */
export type Cast = { readonly stormy: readonly Client[]; readonly lasting: readonly Client[] };

/** All clients of a run, in an order that only the options decide. */
export function castOf(stage: Stage): Cast {
  return { stormy: stormyOf(stage), lasting: lastingOf(stage) };
}

function lastingOf({ parts, groups, calls, halves }: Stage): Client[] {
  const { options } = parts;
  const clients = groups.flatMap((group) => membersOf(parts, group));
  for (let number = 0; number < options.pullers; number++) {
    clients.push((prng) => runPuller(parts, pullGroupName(number), prng, calls));
  }
  for (let number = 0; options.askers > 0 && number < clerksCount; number++) {
    clients.push((prng) => runClerk(parts, number, prng));
  }
  for (let number = 0; number < options.screens; number++) {
    clients.push((prng) => runScreen(parts, number, prng));
  }
  for (let number = 0; number < options.transactors; number++) {
    clients.push((prng) => runCheckAnswers(parts, producerGroupName(number), prng, halves));
  }
  if (options.transactors > 0) {
    clients.push((prng) => runTransactionOperator(parts, prng, halves));
  }
  return clients;
}

function stormyOf(stage: Stage): Client[] {
  const { parts, calls, names, halves } = stage;
  const { options } = parts;
  const clients: Client[] = [];
  for (let number = 0; number < options.producers; number++) {
    clients.push((prng) => runProducer(parts, `producer-${number}`, prng, names));
  }
  for (let number = 0; number < options.timerClients; number++) {
    clients.push((prng) => runTimerClient(parts, `timers-${number}`, prng, names));
  }
  for (let number = 0; number < options.transactors; number++) {
    const group = producerGroupName(number);
    clients.push((prng) => runTransactor(parts, group, prng, names, halves));
  }
  for (let number = 0; number < options.askers; number++) {
    clients.push((prng) => runAsker(parts, prng, names));
  }
  if (options.inquirer) {
    clients.push((prng) => runInquirer(parts, lettersGroups(stage), prng));
  }
  if (options.letterDesk) {
    clients.push((prng) => runLetterDesk(parts, lettersGroups(stage), prng));
  }
  if (options.resets) clients.push((prng) => runResets(parts, prng, calls));
  if (options.keptPlaces) clients.push((prng) => runPlaceKeeper(parts, prng, calls));
  if (options.keptTopic) clients.push((prng) => runTopicKeeper(parts, prng));
  if (options.topicChurn) clients.push((prng) => runTopicChurn(parts, prng, names));
  if (options.groupChurn) clients.push((prng) => runGroupChurn(parts, prng));
  if (options.clockJumps) clients.push((prng) => runClockJumps(parts, prng));
  if (options.shardLosses) clients.push((prng) => runShardLosses(parts, prng));
  return clients;
}

/** Groups that may have dead letters. */
export function lettersGroups({ parts, groups }: Pick<Stage, "parts" | "groups">): string[] {
  const pullers = Array.from({ length: parts.options.pullers }, (_, at) => pullGroupName(at));
  return [...groups.map(({ name }) => name), ...pullers];
}

function membersOf(parts: ClientParts, group: SimGroup): Client[] {
  const { name, settings, filters } = group;
  const ordered = settings.ordered ?? false;
  const members = filters.map((filter, number): Client => async (prng) => {
    // What is new is only new to a group that comes when something is there.
    if (settings.startFrom === "latest") {
      await parts.scheduler.sleep(prng.int(Math.ceil(parts.options.stormMs / 2)));
    }
    const member = { group: name, reader: name, client: `${name}-${number}`, filter, ordered };
    await runConsumer(parts, member, prng);
  });
  return ordered ? [...members, (prng) => runKeyOperator(parts, group, prng)] : members;
}

const producerGroupName = (number: number) => `transactors-${number}`;
