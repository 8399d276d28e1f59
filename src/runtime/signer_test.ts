import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import { signerWith } from "./signer.ts";

test("signerWith() signs as the library's HMAC-SHA256, cut to 22 letters", () => {
  for (const secretBytes of [1, 32, 64]) {
    const secret = randomBytes(secretBytes);
    const signer = signerWith(secret);
    for (const text of ["", "a", "1a.0.3f.12ab.99", "grüße €", "x".repeat(85), "€".repeat(86)]) {
      const whole = createHmac("sha256", secret).update(text).digest("base64url");
      assert.equal(signer.sign(text), whole.slice(0, 22), text);
    }
    assert.notEqual(signer.sign("long one"), signer.sign("short"), "nothing stays of the last");
  }
});

test("verify() takes the signature of the text, and nothing else", () => {
  const signer = signerWith(new Uint8Array(32).fill(1));
  const signature = signer.sign("text");
  assert.ok(signer.verify("text", signature));
  const last = signature.at(-1) === "A" ? "B" : "A";
  for (const bent of ["", signature.slice(1), signature + "A", signature.slice(0, -1) + last]) {
    assert.ok(!signer.verify("text", bent), bent);
  }
  assert.ok(!signer.verify("texts", signature));
  assert.ok(!signerWith(new Uint8Array(32).fill(2)).verify("text", signature));
  assert.ok(!signer.verify("text", "ü".repeat(22)));
});

test("verify() knows what was signed lately, and refuses the same signature bent", () => {
  const signer = signerWith(new Uint8Array(32).fill(1));
  const other = signerWith(new Uint8Array(32).fill(1));
  const texts = Array.from({ length: 40_000 }, (_, at) => `1a.0.3f.${at}`);
  const signed = texts.map((text) => signer.sign(text));

  for (let at = 0; at < texts.length; at += 997) {
    const [text, signature] = [texts[at]!, signed[at]!];
    assert.equal(signature, other.sign(text));
    assert.ok(signer.verify(text, signature), text);
    assert.ok(!signer.verify(text, signature.slice(1) + signature[0]), text);
    assert.ok(!signer.verify(`${text}0`, signature), text);
  }
});

test("signerWith() signs texts of any length alike", () => {
  const secret = new Uint8Array(32).fill(7);
  const signer = signerWith(secret);
  for (const length of [85, 86, 87, 1025, 20_000]) {
    const text = "x".repeat(length);
    const whole = createHmac("sha256", secret).update(text).digest("base64url");
    assert.equal(signer.sign(text), whole.slice(0, 22), `${length}`);
    assert.ok(signer.verify(text, signer.sign(text)));
    assert.ok(!signer.verify(text, signer.sign(`${text}x`)));
  }
});
