/**
 * TLS over `node:tls`, which serves both runtimes, and certificates of our own making.
 *
 *     certificate  SEQUENCE { what is signed, how, signature }
 *     what is signed  [0] version │ serial │ how │ issuer │ validity │ subject │ public key
 *                     │ [3] extensions
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import {
  derBitString,
  derBoolean,
  derContext,
  derInteger,
  derObjectId,
  derOctetString,
  derSequence,
  derSet,
  derText,
  derTime,
} from "../../base/der.ts";
import type { SelfSigned, Tls, TlsContext, TlsIdentity } from "../../ports/tls.ts";

const ids = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;
/** Context numbers of a general name. */
const generalName = { dns: 2, ip: 7 } as const;
const serialBytes = 16;
const pemLine = /.{1,64}/g;

/** The TLS of the host. */
export const systemTls: Tls = { prepare: (identity) => new NodeTlsContext(identity), selfSign };

/** A context as `node:tls` has it. */
export class NodeTlsContext implements TlsContext {
  readonly identity: TlsIdentity;
  readonly fingerprint: string;
  readonly untilMs: number;
  readonly secureContext: SecureContext;

  /** @throws {Error} The identity is not fit; the message says why. */
  constructor(identity: TlsIdentity) {
    const { certificatePem, keyPem } = identity;
    const certificate = attempt("the certificate", () => new X509Certificate(certificatePem));
    const key = attempt("the key", () => createPrivateKey(keyPem));
    // One runtime would notice only at the first handshake.
    if (!certificate.checkPrivateKey(key)) {
      throw new Error("Cannot use TLS: the key does not belong to the certificate");
    }
    this.identity = identity;
    this.fingerprint = certificate.fingerprint256;
    this.untilMs = Date.parse(certificate.validTo);
    this.secureContext = createSecureContext({
      cert: certificatePem,
      key: keyPem,
      minVersion: "TLSv1.2",
    });
  }
}

function attempt<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot use TLS: ${what} cannot be read: ${reason}`, { cause });
  }
}

function selfSign(wanted: SelfSigned): TlsIdentity {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signed = signedPart(wanted, publicKey);
  const signature = sign("sha256", signed, privateKey);
  const how = derSequence(derObjectId(ids.ecdsaWithSha256));
  const certificate = derSequence(signed, how, derBitString(signature));
  return {
    certificatePem: pem("CERTIFICATE", certificate),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function signedPart(wanted: SelfSigned, publicKey: KeyObject): Uint8Array {
  const version3 = derInteger(Uint8Array.of(2));
  const commonName = derSequence(derObjectId(ids.commonName), derText("curlew"));
  const name = derSequence(derSet(commonName));
  return derSequence(
    derContext(0, version3, { constructed: true }),
    derInteger(randomBytes(serialBytes)),
    derSequence(derObjectId(ids.ecdsaWithSha256)),
    name,
    derSequence(derTime(wanted.fromMs), derTime(wanted.untilMs)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    derContext(3, extensions(wanted), { constructed: true }),
  );
}

function extensions({ names, addresses }: SelfSigned): Uint8Array {
  const noAuthority = derSequence();
  const usage = derSequence(derObjectId(ids.serverAuth));
  const stoodFor = derSequence(
    ...names.map((name) => generalNameOf(generalName.dns, new TextEncoder().encode(name))),
    ...addresses.map((address) => generalNameOf(generalName.ip, address)),
  );
  return derSequence(
    derSequence(derObjectId(ids.basicConstraints), derBoolean(true), derOctetString(noAuthority)),
    derSequence(derObjectId(ids.extendedKeyUsage), derOctetString(usage)),
    derSequence(derObjectId(ids.subjectAltName), derOctetString(stoodFor)),
  );
}

function generalNameOf(kind: number, content: Uint8Array): Uint8Array {
  return derContext(kind, content, { constructed: false });
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(pemLine) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
