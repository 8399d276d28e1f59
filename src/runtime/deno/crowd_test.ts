import assert from "node:assert/strict";
import { test } from "node:test";
import { Crowd, type Guest } from "./crowd.ts";

const bounds = { connectionsMax: 3, headMsMax: 10, idleMsMax: 100 };

/** A crowd whose members have names, and the names of those who were cut. */
class Scene {
  readonly crowd = new Crowd(bounds);
  readonly cut: string[] = [];

  enter(name: string, nowMs = 0): Guest | null {
    return this.crowd.enter(() => this.cut.push(name), nowMs);
  }

  /** One that has asked, and was answered at `nowMs`. */
  answered(name: string, nowMs: number): Guest | null {
    const guest = this.enter(name);
    guest?.begin();
    guest?.end(nowMs);
    return guest;
  }
}

test("Crowd cuts a stranger after its time for a head, and one who waits after the longer", () => {
  const scene = new Scene();
  scene.enter("stranger");
  scene.answered("idle", 5);
  scene.enter("busy")?.begin();

  scene.crowd.cutSilent(9);
  assert.deepEqual(scene.cut, []);
  scene.crowd.cutSilent(10);
  assert.deepEqual(scene.cut, ["stranger"]);
  scene.crowd.cutSilent(104);
  assert.deepEqual(scene.cut, ["stranger"]);
  scene.crowd.cutSilent(1_000_000);
  assert.deepEqual([scene.cut, scene.crowd.count], [["stranger", "idle"], 1]);
});

test("Crowd makes room by cutting strangers first, then who waited longest, nobody busy", () => {
  const scene = new Scene();
  const late = scene.answered("late", 1);
  scene.answered("early", 2);
  late?.begin();
  late?.end(3);
  scene.enter("stranger", 4);

  for (const name of ["a", "b", "c"]) scene.enter(name)?.begin();
  assert.deepEqual(scene.cut, ["stranger", "early", "late"]);
  assert.equal(scene.enter("d"), null);
  assert.equal(scene.crowd.count, 3);
});

test("Crowd.makeRoom() tells how many it cut", () => {
  const scene = new Scene();
  scene.answered("idle", 1);
  scene.enter("one");
  scene.enter("two");

  assert.equal(scene.crowd.makeRoom(2), 2);
  assert.deepEqual(scene.cut, ["one", "two"]);
  assert.equal(scene.crowd.makeRoom(2), 1);
  assert.equal(scene.crowd.makeRoom(2), 0);
});

test("Crowd calls one busy until the last of its requests is answered", () => {
  const scene = new Scene();
  const guest = scene.enter("two requests");
  guest?.begin();
  guest?.begin();
  guest?.end(1);
  let calm = 0;
  scene.crowd.whenCalm(() => calm++);

  scene.crowd.cutSilent(1_000);
  assert.deepEqual([scene.cut, calm], [[], 0]);
  guest?.end(2);
  assert.equal(calm, 1);
  scene.crowd.cutAll(false);
  assert.deepEqual(scene.cut, ["two requests"]);
});

test("Crowd forgets who left, and one who was cut may still end its request", () => {
  const scene = new Scene();
  const guest = scene.enter("busy");
  guest?.begin();
  scene.crowd.cutAll(true);
  guest?.end(1);
  guest?.leave();

  assert.deepEqual([scene.cut, scene.crowd.count], [["busy"], 0]);
  const other = scene.enter("other");
  other?.begin();
  other?.leave();
  let calm = 0;
  scene.crowd.whenCalm(() => calm++);
  assert.deepEqual([calm, scene.crowd.count], [1, 0]);
});

test("Crowd cuts who is busy for longer than it was given, and only then", () => {
  const scene = new Scene();
  scene.crowd.cutSilent(1_000);
  const [slow, done] = ["slow", "done"].map((name) => scene.enter(name, 1_000));
  slow?.begin();
  slow?.within(50);
  done?.begin();
  done?.within(50);
  done?.within(0);

  scene.crowd.cutSilent(1_049);
  assert.deepEqual(scene.cut, []);
  slow?.within(50);
  scene.crowd.cutSilent(1_098);
  assert.deepEqual(scene.cut, []);
  scene.crowd.cutSilent(1_099);
  assert.deepEqual(scene.cut, ["slow"]);
  slow?.end(1_099);
  assert.equal(scene.crowd.count, 1);
});

test("Crowd is calm when the last who was busy has been cut", () => {
  const scene = new Scene();
  const slow = scene.enter("slow");
  slow?.begin();
  slow?.within(10);
  let isCalm = false;
  scene.crowd.whenCalm(() => isCalm = true);
  scene.crowd.cutSilent(10);
  assert.equal(isCalm, true);
});
