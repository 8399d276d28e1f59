import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection, SocketAddress } from "../../ports/sockets.ts";
import { Parking } from "./parking.ts";
import { parseNetwork } from "../../model/network.ts";
import { advertisedTo, peerOf } from "./peer.ts";

function connectionAt(host: string): Connection {
  const nothing = () => {};
  return {
    local: { host, port: 9876 },
    remote: { host: "10.0.0.7", port: 50_123 },
    bufferedBytes: 0,
    ...{ listen: nothing, write: () => true, pause: nothing, resume: nothing },
    ...{ end: nothing, destroy: nothing },
  };
}

/** Where a route leads, and what records name. */
function places(dialled: string, advertise: SocketAddress | null = null): [string, string] {
  const gone = new AbortController().signal;
  const peer = peerOf(1, connectionAt(dialled), advertise, gone, new Parking(() => {}));
  return [peer.route, `${peer.storeHost.ip} ${peer.storeHost.port}`];
}

test("peerOf() leads clients to the address they dialled", () => {
  assert.deepEqual(places("192.0.2.4"), ["192.0.2.4:9876", "192.0.2.4 9876"]);
});

test("peerOf() writes IPv4 in its IPv6 form as IPv4, and IPv6 in brackets", () => {
  assert.deepEqual(places("::ffff:192.0.2.4"), ["192.0.2.4:9876", "192.0.2.4 9876"]);
  assert.deepEqual(places("2001:db8::1"), ["[2001:db8::1]:9876", "2001:db8::1 9876"]);
});

test("peerOf() leads clients to an advertised address instead", () => {
  const advertise = { host: "198.51.100.9", port: 10_911 };

  assert.deepEqual(places("192.0.2.4", advertise), ["198.51.100.9:10911", "198.51.100.9 10911"]);
});

test("peerOf() leaves an advertised name to clients; records hold the dialled address", () => {
  const advertise = { host: "mq.example.org", port: 10_911 };

  assert.deepEqual(places("192.0.2.4", advertise), ["mq.example.org:10911", "192.0.2.4 10911"]);
});

test("advertisedTo() goes by the first network that holds the client, then for all", () => {
  const address = (host: string) => ({ host, port: 9876 });
  const settings = {
    advertise: address("broker.example"),
    advertiseNetworks: [
      { network: parseNetwork("10.1.0.0/16"), address: address("10.1.0.9") },
      { network: parseNetwork("10.0.0.0/8"), address: address("10.0.0.9") },
    ],
  };
  const hosts = ["10.1.2.3", "::ffff:10.2.0.1", "192.0.2.1", "2001:db8::1"].map((remote) =>
    advertisedTo(remote, settings)?.host
  );

  assert.deepEqual(hosts, ["10.1.0.9", "10.0.0.9", "broker.example", "broker.example"]);
  assert.equal(advertisedTo("192.0.2.1", { ...settings, advertise: null }), null);
});
