import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { ipv4Number, ipv4Text, ipv6Bytes, ipv6Text } from "./ip_address.ts";

test("ipv4Number() reads plain and mapped addresses, and nothing else", () => {
  assert.equal(ipv4Number("127.0.0.1"), 0x7f000001);
  assert.equal(ipv4Number("::ffff:10.0.0.1"), 0x0a000001);
  assert.equal(ipv4Number("::FFFF:255.255.255.255"), 0xffffffff);
  for (
    const text of ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1..2.3", "1.2.3.4 ", "::1", "a.b.c.d"]
  ) {
    assert.equal(ipv4Number(text), -1, text);
  }
});

test("ipv6Bytes() and ipv6Text() know the short forms", () => {
  const shown = (text: string) => ipv6Text(ipv6Bytes(text));

  assert.equal(shown("::"), "::");
  assert.equal(shown("::1"), "::1");
  assert.equal(shown("fe80::1%eth0"), "fe80::1");
  assert.equal(shown("2001:DB8:0:0:1:0:0:0"), "2001:db8:0:0:1::");
  assert.equal(shown("10:0:0:1:2:3:4:5"), "10::1:2:3:4:5");
  assert.equal(shown("64:ff9b::1.2.3.4"), "64:ff9b::102:304");
});

test("ipv6Bytes() refuses what is no address", () => {
  for (const text of ["", "x", "1:2:3", "1:2:3:4:5:6:7:8:9", "::1::", "12345::", "1.2.3", ":::"]) {
    assert.throws(() => ipv6Bytes(text), { code: "invalid_argument" }, text);
  }
});

test("addresses come back from their text", () => {
  const prng = new Prng(6);
  for (let round = 0; round < 2_000; round++) {
    const bytes = prng.bytes(16).map((byte) => prng.chance(0.6) ? 0 : byte);
    assert.deepEqual(ipv6Bytes(ipv6Text(bytes)), bytes);
    const address = prng.next();
    assert.equal(ipv4Number(ipv4Text(address)), address);
  }
});
