import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import { networkHolds } from "../model/network.ts";
import {
  addressesOf,
  addressText,
  advertisedNetworksOf,
  dialled,
  networksOf,
} from "./addresses.ts";

test("addressesOf() reads a list, however it is spaced, and none as none", () => {
  const found = addressesOf("remotingAlso", " 127.0.0.1:10911,[::1]:9 ,broker.example:80");
  assert.deepEqual(found.map(addressText), ["127.0.0.1:10911", "[::1]:9", "broker.example:80"]);
  assert.deepEqual(addressesOf("remotingAlso", null), []);
});

test("advertisedNetworksOf() pairs networks with addresses, in their order", () => {
  const found = advertisedNetworksOf("x", "10.0.0.0/8=10.0.0.1:9876, ::/0=broker.example:9877");
  assert.deepEqual(found.map(({ address }) => addressText(address)), [
    "10.0.0.1:9876",
    "broker.example:9877",
  ]);
  assert.deepEqual(found.map(({ network }) => networkHolds(network, "192.0.2.1")), [false, true]);
});

test("settings that are lists name themselves, the part and what is allowed", () => {
  const says = (setting: string, part: string) => (thrown: Error) =>
    thrown.message.includes(setting) && thrown.message.includes(JSON.stringify(part)) &&
    thrown.message.includes("allowed is");
  assert.throws(() => addressesOf("remotingAlso", "a:1,b"), says("remotingAlso", "b"));
  assert.throws(() => networksOf("from", "10.0.0.0/8,ten"), says("from", "ten"));
  assert.throws(() => advertisedNetworksOf("to", "10.0.0.0/8"), says("to", "10.0.0.0/8"));
  assert.throws(() => advertisedNetworksOf("to", "10.0.0.0/40=a:1"), says("to", "10.0.0.0/40"));
  assert.throws(() => advertisedNetworksOf("to", "10.0.0.0/8=a"), says("to", "a"));
});

test("settings that are lists are bounded", () => {
  const many = new Array<string>(limits.networksPerSettingMax + 1).fill("10.0.0.1").join(",");
  assert.throws(() => networksOf("from", many), /allowed are 256/);
});

test("dialled() puts the host that was asked in the place of a wildcard", () => {
  assert.equal(addressText(dialled({ host: "0.0.0.0", port: 1 }, "192.0.2.1")), "192.0.2.1:1");
  assert.equal(addressText(dialled({ host: "::", port: 1 }, "2001:db8::1")), "[2001:db8::1]:1");
  assert.equal(addressText(dialled({ host: "10.0.0.1", port: 1 }, "192.0.2.1")), "10.0.0.1:1");
});
