/**
 * The signature of requests whose sender has an access key: HMAC-SHA1 over the values of all
 * fields, sorted by name ("A" before "a"), then the body. Neither names nor separators are signed.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ExtFields } from "./command.ts";

/** Names of the fields that authentication adds to a header. */
export const aclFields = {
  accessKey: "AccessKey",
  signature: "Signature",
  securityToken: "SecurityToken",
} as const;

/** Up to this version (4.9.3) clients added `lateField` after they had signed. */
const lateFieldVersionMax = 399;
const lateField = "_UNIQUE_KEY_QUERY";

/** A request as it came: its fields before defaults were filled in. */
export type SignedRequest = {
  readonly version: number;
  readonly extFields: ExtFields;
  readonly body: Uint8Array;
};

/** The signature the holder of `secret` gives this request, in base64. */
export function signatureOf(secret: string, request: SignedRequest): string {
  const hmac = createHmac("sha1", secret);
  const names = Object.keys(request.extFields).filter((name) => isSigned(name, request.version));
  for (const name of names.sort(compareNames)) hmac.update(request.extFields[name] ?? "");
  return hmac.update(request.body).digest("base64");
}

/** Whether the request carries the signature of the holder of `secret`. Takes no hint from time. */
export function isSignedWith(secret: string, request: SignedRequest): boolean {
  const found = Buffer.from(request.extFields[aclFields.signature] ?? "");
  const expected = Buffer.from(signatureOf(secret, request));
  return found.length === expected.length && timingSafeEqual(found, expected);
}

function isSigned(name: string, version: number): boolean {
  if (name === aclFields.signature) return false;
  return name !== lateField || version > lateFieldVersionMax;
}

/** As UTF-16 units, which is the order Java's sorted maps have. */
function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
