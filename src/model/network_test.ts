import assert from "node:assert/strict";
import { test } from "node:test";
import { networkHolds, parseNetwork } from "./network.ts";

function holds(network: string, host: string): boolean {
  return networkHolds(parseNetwork(network), host);
}

test("networkHolds() compares exactly the leading bits", () => {
  assert.equal(holds("10.20.0.0/14", "10.23.255.255"), true);
  assert.equal(holds("10.20.0.0/14", "10.24.0.0"), false);
  assert.equal(holds("2001:db8::/33", "2001:db8:7fff::1"), true);
  assert.equal(holds("2001:db8::/33", "2001:db8:8000::1"), false);
});

test("networkHolds() takes a network without a length for one address", () => {
  assert.equal(holds("10.0.0.1", "10.0.0.1"), true);
  assert.equal(holds("10.0.0.1", "10.0.0.2"), false);
  assert.equal(holds("::1", "::1"), true);
});

test("networkHolds() knows an IPv4 address in its IPv6 form", () => {
  assert.equal(holds("10.0.0.0/8", "::ffff:10.1.2.3"), true);
  assert.equal(holds("::ffff:10.0.0.0/104", "10.1.2.3"), true);
  assert.equal(holds("::/0", "10.1.2.3"), true);
  assert.equal(holds("0.0.0.0/0", "2001:db8::1"), false);
});

test("networkHolds() holds nothing that is no address", () => {
  assert.equal(holds("0.0.0.0/0", ""), false);
  assert.equal(holds("::/0", "broker.example"), false);
});

test("parseNetwork() refuses what is no network, and says what was found", () => {
  const wrong = ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "::/129", "ten", "10.0.0.0/-1"];
  for (const text of wrong) {
    assert.throws(() => parseNetwork(text), new RegExp(JSON.stringify(text)), text);
  }
});
