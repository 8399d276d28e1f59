/**
 * HMAC-SHA256 over texts, cut to 132 bits. For short ones put together of two whole hashes as RFC
 * 2104, section 2, says: on Deno an `Hmac` object costs 13 microseconds, this 5, and every message
 * that is received and acknowledged is signed once and checked once. What was signed lately is
 * known again without a hash.
 *
 * @module
 */
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { assert } from "../base/assert.ts";
import type { Signer } from "../ports/signer.ts";

/** 22 letters of base64url. */
const signatureLetters = 22;
const blockBytes = 64;
const digestBytes = 32;
/** Receipts are far shorter; cursors over many queues are longer, and take the library's road. */
const textBytesMax = 256;
/** UTF-8 needs at most so many bytes for a unit of text. */
const bytesPerUnitMax = 3;
/** Texts signed lately are kept in two halves of so many: some MiB. */
const recentMax = 16_384;
const utf8 = new TextEncoder();

/** A signer with this secret (at most 64 bytes). */
export function signerWith(secret: Uint8Array): Signer {
  assert(secret.length <= blockBytes, "a secret fits into a block");
  const inner = Buffer.alloc(blockBytes + textBytesMax, 0x36);
  const outer = Buffer.alloc(blockBytes + digestBytes, 0x5c);
  secret.forEach((byte, at) => {
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  });
  const room = inner.subarray(blockBytes);
  const recent = new Recent();
  const compute = (text: string) => {
    if (text.length * bytesPerUnitMax > textBytesMax) return signLong(secret, text);
    const { written } = utf8.encodeInto(text, room);
    outer.write(hash("sha256", inner.subarray(0, blockBytes + written), "hex"), blockBytes, "hex");
    return hash("sha256", outer, "base64url").slice(0, signatureLetters);
  };
  const given = new Uint8Array(signatureLetters);
  const right = new Uint8Array(signatureLetters);
  return {
    sign(text) {
      const signature = compute(text);
      if (text.length * bytesPerUnitMax <= textBytesMax) recent.add(text, signature);
      return signature;
    },
    verify(text, signature) {
      if (signature.length !== signatureLetters) return false;
      if (recent.has(text, signature)) return true;
      const { read } = utf8.encodeInto(signature, given);
      utf8.encodeInto(compute(text), right);
      return read === signatureLetters && timingSafeEqual(given, right);
    },
  };
}

/**
 * What was signed lately, each with its signature as one text. It is found by the hash of all of
 * it, so the time of a look tells nothing of a signature that is nearly right.
 */
class Recent {
  #young = new Set<string>();
  #old = new Set<string>();

  add(text: string, signature: string): void {
    if (this.#young.size === recentMax) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(signature + text);
  }

  has(text: string, signature: string): boolean {
    const whole = signature + text;
    return this.#young.has(whole) || this.#old.has(whole);
  }
}

function signLong(secret: Uint8Array, text: string): string {
  return createHmac("sha256", secret).update(text).digest("base64url").slice(0, signatureLetters);
}
