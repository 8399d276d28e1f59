import assert from "node:assert/strict";
import { test } from "node:test";
import { dead, facts, finished, nowMs, reset } from "../../tests/support/explain_facts.ts";
import type { ExplainFacts } from "../model/explanation.ts";
import { explain } from "./explain.ts";

type Case = { readonly name: string; readonly facts: ExplainFacts; readonly causes: string };

/** What the newest of deaths, skips, resets and their undoing decides. */
const cases: readonly Case[] = [
  {
    name: "says finished when the group was put back to it in the tick in which it died",
    facts: facts({ ...finished, moves: [{ ...reset, fromOffset: 9, toOffset: 0 }] }, { dead }),
    causes: "acknowledged",
  },
  {
    name: "tells of the dead letter when it died in the tick of the reset, after it",
    facts: facts({ ...finished, moves: [{ ...reset, fromOffset: 9, toOffset: 0 }] }, {
      dead: { ...dead, position: 30 },
    }),
    causes: "dead-letter",
  },
  {
    name: "tells of the dead letter when the clock was set back between the reset and its death",
    facts: facts({
      ...finished,
      moves: [{ ...reset, atMs: nowMs + 500, fromOffset: 9, toOffset: 0 }],
    }, { dead: { ...dead, position: 31 } }),
    causes: "dead-letter",
  },
  {
    name: "goes by the clock where an older broker noted no position",
    facts: facts({
      ...finished,
      moves: [{ ...reset, atMs: nowMs + 1, fromOffset: 9, toOffset: 0, position: null }],
    }, { dead }),
    causes: "acknowledged",
  },
  {
    name: "does not tell of a skip that came before the reset, in its tick",
    facts: facts({
      ...finished,
      moves: [
        { ...reset, fromOffset: 9, toOffset: 0 },
        { ...reset, kind: "key-skipped", fromOffset: 5, toOffset: 5 },
      ],
    }),
    causes: "acknowledged",
  },
  {
    name: "says finished when the group was put back to it after it died",
    facts: facts({
      ...finished,
      moves: [{ ...reset, atMs: nowMs + 1, fromOffset: 9, toOffset: 0 }],
    }, {
      dead,
    }),
    causes: "acknowledged",
  },
  {
    name: "tells of the dead letter when the reset that put the group back was undone",
    facts: facts({
      ...finished,
      moves: [
        { ...reset, kind: "undo", atMs: nowMs + 2, fromOffset: 0, toOffset: 9 },
        { ...reset, atMs: nowMs + 1, fromOffset: 9, toOffset: 0 },
      ],
    }, { dead }),
    causes: "dead-letter",
  },
  {
    name: "says finished when undoing a reset put the group back to it after it died",
    facts: facts({
      ...finished,
      moves: [
        { ...reset, kind: "undo", fromOffset: 9, toOffset: 3, putBack: true },
        { ...reset, fromOffset: 3, toOffset: 0, position: 10 },
      ],
    }, { dead }),
    causes: "acknowledged",
  },
  {
    name: "tells of the dead letter when it died again after the reset was undone",
    facts: facts({
      ...finished,
      moves: [
        { ...reset, kind: "undo", fromOffset: 9, toOffset: 3, putBack: true },
        { ...reset, fromOffset: 3, toOffset: 0, position: 10 },
      ],
    }, { dead: { ...dead, position: 31 } }),
    causes: "dead-letter",
  },
  {
    name: "blames no reset before the undoing of one that put the group back to it",
    facts: facts({
      ...finished,
      moves: [
        { ...reset, kind: "undo", fromOffset: 9, toOffset: 3, putBack: true },
        { ...reset, fromOffset: 3, toOffset: 0 },
        { ...reset, kind: "key-skipped", fromOffset: 5, toOffset: 5 },
        reset,
      ],
    }),
    causes: "acknowledged",
  },
  {
    name: "says finished when the group was put back to it after it was skipped",
    facts: facts({
      ...finished,
      moves: [
        { ...reset, atMs: nowMs + 1, fromOffset: 9, toOffset: 0 },
        { ...reset, kind: "key-skipped", atMs: nowMs, fromOffset: 5, toOffset: 5 },
      ],
    }),
    causes: "acknowledged",
  },
  {
    name: "blames no reset that was undone",
    facts: facts({
      ...finished,
      moves: [{ ...reset, kind: "undo", fromOffset: 8, toOffset: 2 }, reset],
    }),
    causes: "acknowledged",
  },
  {
    name: "blames no reset before one that went back",
    facts: facts({ ...finished, moves: [{ ...reset, fromOffset: 8, toOffset: 1 }, reset] }),
    causes: "acknowledged",
  },
];

for (const { name, facts, causes } of cases) {
  test(`explain() ${name}`, () => {
    assert.equal(explain(facts).map(({ cause }) => cause).join(" "), causes);
  });
}
