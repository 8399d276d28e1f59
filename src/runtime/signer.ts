/** HMAC-SHA256 over short texts, cut to 128 bits. @module */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Signer } from "../ports/signer.ts";

const signatureBytes = 16;

/** A signer with this secret (32 bytes). */
export function signerWith(secret: Uint8Array): Signer {
  const digest = (text: string) =>
    createHmac("sha256", secret).update(text).digest().subarray(0, signatureBytes);
  return {
    sign: (text) => digest(text).toString("base64url"),
    verify(text, signature) {
      const given = Buffer.from(signature, "base64url");
      return given.length === signatureBytes && timingSafeEqual(given, digest(text));
    },
  };
}
