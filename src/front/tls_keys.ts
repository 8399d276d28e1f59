/**
 * The certificate and key that TLS connections are answered with.
 *
 *     files named  ──▶ read at start ──looked at, changed and fit──▶ used from then on
 *     none named   ──▶ self-signed, kept in the data directory, made anew before it ends
 *
 * Files are compared by what they hold: a link that is turned elsewhere, and a clock that stands
 * still, are seen too. A pair that does not fit is passed over with a word: it may be half written.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Settings } from "../config/schema.ts";
import { BrokerError } from "../model/errors.ts";
import { ipv4Number, ipv6Bytes } from "../model/ip_address.ts";
import type { Files } from "../ports/files.ts";
import type { Tls, TlsContext, TlsIdentity } from "../ports/tls.ts";

/** How often `look` is to be called: how late a new certificate is used. */
export const tlsLookMs = 5_000;

const dayMs = 24 * 3600 * 1000;
/** As long as a certificate may last for the clients that judge by it. */
const selfSignedMs = 825 * dayMs;
/** A self-signed certificate that ends sooner is replaced. */
const renewalMs = 30 * dayMs;
const selfSignedName = "tls-self-signed.pem";

/** What the keys are read from. */
export type TlsKeysParts = {
  readonly settings: Pick<
    Settings,
    "data" | "host" | "advertise" | "tlsMode" | "tlsHttp" | "tlsCertFile" | "tlsKeyFile"
  >;
  readonly files: Files;
  readonly tls: Tls;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Reads or makes the keys; `null` if nothing here speaks TLS.
 *
 * @throws {BrokerError} `invalid_argument`: the files named cannot be used.
 */
export async function openTlsKeys(parts: TlsKeysParts): Promise<TlsKeys | null> {
  const { tlsMode, tlsHttp } = parts.settings;
  if (tlsMode === "disabled" && !tlsHttp) return null;
  try {
    return new TlsKeys(parts, await newest(parts, null));
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    throw new BrokerError("invalid_argument", thrown.message, { cause: thrown });
  }
}

/** Keeps the newest keys at hand. */
export class TlsKeys {
  readonly #parts: TlsKeysParts;
  #context: TlsContext;
  #looking = false;
  /** What was last said of files that do not fit, so that it is said once. */
  #complaint = "";

  /** `context`: the keys to begin with. */
  constructor(parts: TlsKeysParts, context: TlsContext) {
    this.#parts = parts;
    this.#context = context;
  }

  /** The newest keys that are fit. */
  get context(): TlsContext {
    return this.#context;
  }

  /** Reads the files again, and uses what they hold if it is new and fit. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const found = await newest(this.#parts, this.#context);
      if (found !== this.#context) {
        const { fingerprint, untilMs } = found;
        const until = new Date(untilMs).toISOString();
        this.#parts.log.info("TLS certificate replaced", { fingerprint, until });
      }
      this.#context = found;
      this.#complaint = "";
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      if (reason !== this.#complaint) this.#parts.log.warn("TLS certificate kept", { reason });
      this.#complaint = reason;
    } finally {
      this.#looking = false;
    }
  }
}

/** What is to be used now: `current` itself, if nothing has changed. */
async function newest(parts: TlsKeysParts, current: TlsContext | null): Promise<TlsContext> {
  const { tlsCertFile, tlsKeyFile } = parts.settings;
  if (tlsCertFile === null && tlsKeyFile === null) return await selfSigned(parts, current);
  if (tlsCertFile === null || tlsKeyFile === null) {
    throw new Error("Cannot use TLS: tlsCertFile and tlsKeyFile are given both, or not at all");
  }
  const identity: TlsIdentity = {
    certificatePem: await read(parts.files, tlsCertFile),
    keyPem: await read(parts.files, tlsKeyFile),
  };
  return isSame(identity, current) ? current : parts.tls.prepare(identity);
}

function isSame(identity: TlsIdentity, current: TlsContext | null): current is TlsContext {
  return identity.certificatePem === current?.identity.certificatePem &&
    identity.keyPem === current.identity.keyPem;
}

async function read(files: Files, path: string): Promise<string> {
  const text = await files.readSmall(path);
  if (text === null) throw new Error(`Cannot use TLS: there is no file ${path}`);
  return text;
}

async function selfSigned(parts: TlsKeysParts, current: TlsContext | null): Promise<TlsContext> {
  const { settings, files, tls, clock, log } = parts;
  const fromMs = clock.wallMs();
  if (current !== null && current.untilMs - fromMs > renewalMs) return current;
  const path = `${settings.data}/${selfSignedName}`;
  const kept = await files.readSmall(path);
  if (kept !== null) {
    const context = tls.prepare(partsOf(kept));
    if (context.untilMs - fromMs > renewalMs) return context;
  }
  const untilMs = fromMs + selfSignedMs;
  // A day back, for clients whose clocks are behind.
  const identity = tls.selfSign({ ...standsFor(settings), fromMs: fromMs - dayMs, untilMs });
  try {
    await files.writeSmall(path, identity.certificatePem + identity.keyPem);
  } catch (thrown) {
    // A full disk must not keep a broker from starting; the next start signs again.
    log.warn("TLS certificate not kept", { path, reason: String(thrown) });
  }
  return tls.prepare(identity);
}

/** Key and certificate are one file, so that a crash cannot leave one without the other. */
function partsOf(pem: string): TlsIdentity {
  const block = (label: string) =>
    new RegExp(`-----BEGIN ${label}-----[^-]*-----END ${label}-----\n?`).exec(pem)?.[0] ?? "";
  return { certificatePem: block("CERTIFICATE"), keyPem: block("PRIVATE KEY") };
}

/** What the self-signed certificate stands for: here, and where clients are told to go. */
function standsFor({ host, advertise }: TlsKeysParts["settings"]) {
  const wanted = new Set(["localhost", "127.0.0.1", "::1", host]);
  if (advertise !== null) wanted.add(advertise.host);
  const names: string[] = [];
  const addresses: Uint8Array[] = [];
  for (const each of wanted) {
    const v4 = ipv4Number(each);
    if (v4 !== -1) addresses.push(Uint8Array.of(v4 >>> 24, v4 >>> 16, v4 >>> 8, v4));
    else if (each.includes(":")) addresses.push(ipv6Bytes(each));
    else names.push(each);
  }
  return { names, addresses };
}
