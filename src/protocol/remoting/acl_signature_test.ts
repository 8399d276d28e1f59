import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../base/bytes.ts";
import { isSignedWith, signatureOf } from "./acl_signature.ts";

const route = {
  version: 479,
  extFields: { topic: "T", acceptStandardJsonOnly: "true", AccessKey: "rocketmq2" },
  body: new Uint8Array(),
};
const send = {
  version: 479,
  extFields: {
    ...{ a: "G", b: "T", c: "TBW102", d: "4", e: "0", f: "0", g: "1700000000000", h: "0", i: "" },
    ...{ j: "0", k: "false", m: "false", AccessKey: "rocketmq2" },
  },
  body: utf8("hello"),
};

test("signatureOf() gives the signatures of section 16", () => {
  assert.equal(signatureOf("12345678", route), "8om/XJBg8FL+VPQZbuLXl0torls=");
  assert.equal(signatureOf("12345678", send), "r5ThxypzPsqnAV5Y1r+gjlTvEuQ=");
});

test("isSignedWith() refuses another secret, another body, a cut or missing signature (12)", () => {
  const Signature = signatureOf("12345678", send);
  const signed = { ...send, extFields: { ...send.extFields, Signature } };

  assert.ok(isSignedWith("12345678", signed));
  assert.ok(!isSignedWith("12345679", signed));
  assert.ok(!isSignedWith("12345678", { ...signed, body: utf8("hellO") }));
  assert.ok(!isSignedWith("12345678", send));
  const cut = { ...signed.extFields, Signature: Signature.slice(1) };
  assert.ok(!isSignedWith("12345678", { ...signed, extFields: cut }));
});

test("signatureOf() leaves _UNIQUE_KEY_QUERY out for clients up to 4.9.3 (12)", () => {
  const late = (version: number) => ({
    ...route,
    version,
    extFields: { ...route.extFields, "_UNIQUE_KEY_QUERY": "true" },
  });

  assert.equal(signatureOf("s", late(399)), signatureOf("s", route));
  assert.notEqual(signatureOf("s", late(400)), signatureOf("s", route));
});
