/**
 * What TLS needs besides sockets: keys that are fit for use, and one to begin with.
 *
 * @module
 */

/** A certificate, with those that lead to its issuer behind it, and its key; both as PEM. */
export type TlsIdentity = { readonly certificatePem: string; readonly keyPem: string };

/** An identity that was found fit, prepared once for many connections. */
export interface TlsContext {
  readonly identity: TlsIdentity;
  /** The certificate's SHA-256, as tools show it. */
  readonly fingerprint: string;
  /** After this moment clients that look will refuse it. */
  readonly untilMs: number;
}

/** What a self-signed certificate says. */
export type SelfSigned = {
  /** What it stands for: names, and addresses of four or sixteen bytes. */
  readonly names: readonly string[];
  readonly addresses: readonly Uint8Array[];
  readonly fromMs: number;
  readonly untilMs: number;
};

/** The TLS of the runtime. TLS 1.2 is the oldest that is spoken. */
export interface Tls {
  /** @throws {Error} The certificate or the key cannot be read, or they do not belong together. */
  prepare(identity: TlsIdentity): TlsContext;
  /** Makes a key and a certificate signed by it, which proves nothing but encrypts. */
  selfSign(wanted: SelfSigned): TlsIdentity;
}
