import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { systemTls } from "./tls.ts";

const dayMs = 86_400_000;
/** A whole second, as certificates have them. */
const fromMs = Date.UTC(2026, 0, 1);

function selfSigned(untilMs = fromMs + dayMs) {
  const addresses = [
    Uint8Array.of(127, 0, 0, 1),
    Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  ];
  return systemTls.selfSign({ names: ["localhost", "b.example"], addresses, fromMs, untilMs });
}

test("selfSign() makes a certificate that others parse, for the names and addresses asked", () => {
  const certificate = new X509Certificate(selfSigned().certificatePem);

  assert.equal(certificate.checkHost("localhost"), "localhost");
  assert.equal(certificate.checkHost("b.example"), "b.example");
  assert.equal(certificate.checkHost("c.example"), undefined);
  assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal(certificate.checkIP("127.0.0.2"), undefined);
  assert.match(certificate.subjectAltName ?? "", /IP Address:(::1|0:0:0:0:0:0:0:1)$/);
});

test("selfSign() signs with its own key, within the time asked, and is no authority", () => {
  const certificate = new X509Certificate(selfSigned().certificatePem);

  assert.equal(certificate.verify(certificate.publicKey), true);
  assert.equal(certificate.ca, false);
  assert.equal(Date.parse(certificate.validFrom), fromMs);
  assert.equal(Date.parse(certificate.validTo), fromMs + dayMs);
  assert.equal(certificate.issuer, certificate.subject);
});

test("selfSign() says years after 2050, and never the same serial number", () => {
  const late = new X509Certificate(selfSigned(Date.UTC(2051, 5, 1)).certificatePem);
  const next = new X509Certificate(selfSigned().certificatePem);

  assert.equal(Date.parse(late.validTo), Date.UTC(2051, 5, 1));
  assert.notEqual(late.serialNumber, next.serialNumber);
});

test("prepare() tells the fingerprint and the end", () => {
  const identity = selfSigned();
  const context = systemTls.prepare(identity);

  assert.equal(context.fingerprint, new X509Certificate(identity.certificatePem).fingerprint256);
  assert.equal(context.untilMs, fromMs + dayMs);
  assert.equal(context.identity, identity);
});

test("prepare() refuses what cannot be used, and says which part", () => {
  const [one, other] = [selfSigned(), selfSigned()];
  const { certificatePem, keyPem } = one;

  const mixed = { certificatePem, keyPem: other.keyPem };
  assert.throws(() => systemTls.prepare(mixed), /key does not belong to the certificate/);
  const noKey = { certificatePem, keyPem: "no key" };
  assert.throws(() => systemTls.prepare(noKey), /the key cannot be read/);
  const noCertificate = { certificatePem: "nothing", keyPem };
  assert.throws(() => systemTls.prepare(noCertificate), /the certificate cannot be read/);
});
