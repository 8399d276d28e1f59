/**
 * HTTP over `Deno.serve`, for a Deno that cannot serve connections one by one. It counts nobody and
 * cuts nobody who is slow. When no file is left for one more connection, `Deno.serve` gives up:
 * then all who ask nothing are cut, and it is begun anew.
 *
 * @module
 */
import type { HttpOptions, HttpServer } from "../../ports/http.ts";
import type { TlsIdentity } from "../../ports/tls.ts";
import { arrivedBody, arrivedHeaders } from "./inner_request.ts";
import { asError, flushMs, lastAnswer, opened, pause, retryMs, type Wanted } from "./listen.ts";

type DenoServer = Deno.HttpServer<Deno.NetAddr>;
type DenoInfo = Deno.ServeHandlerInfo<Deno.NetAddr>;

/** Requests being answered, the sending of the body included. */
class Underway {
  #count = 0;
  #onIdle: () => void = () => {};

  add(completed: Promise<void>): void {
    this.#count++;
    const finish = () => {
      if (--this.#count === 0) this.#onIdle();
    };
    completed.then(finish, finish);
  }

  /** Resolves when nothing is under way, or after `waitMsMax`. */
  idle(waitMsMax: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMsMax);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Listens at once. */
export class WholeServer implements HttpServer {
  readonly #options: HttpOptions;
  readonly #underway = new Underway();
  readonly #address: Deno.NetAddr;
  #server: DenoServer;
  /** The server's own: that of a server which was shut down must not be used any more. */
  #cut = new AbortController();
  #tls: TlsIdentity | undefined;
  #isStopping = false;

  /** @throws {Error} The address cannot be had; `code` says why. */
  constructor(options: HttpOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#server = this.#listen(options);
    this.#address = this.#server.addr;
  }

  get address() {
    return { host: this.#address.hostname, port: this.#address.port };
  }

  async replaceTls(tls: TlsIdentity): Promise<void> {
    this.#tls = tls;
    await this.#turn();
  }

  /** Not by the server's own `shutdown`: once that has begun, nothing can cut it short. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#underway.idle(graceMs);
    await pause(flushMs);
    this.#cut.abort();
    await this.#server.finished;
  }

  #listen(wanted: Wanted): DenoServer {
    const { host: hostname, port, tls } = wanted;
    const keys = tls === undefined ? {} : { cert: tls.certificatePem, key: tls.keyPem };
    const { onError } = this.#options;
    const cut = new AbortController();
    const listening = { hostname, port, signal: cut.signal, onListen: () => {}, onError };
    const handle = (request: Request, info: DenoInfo) => this.#handle(request, info);
    const server = opened(wanted, () => Deno.serve({ ...listening, ...keys }, handle));
    server.finished.catch((thrown: unknown) => {
      this.#options.onTrouble(asError(thrown));
      if (this.#server === server) void this.#turn();
    });
    this.#cut = cut;
    return server;
  }

  #handle(request: Request, told: DenoInfo): Response | Promise<Response> {
    this.#underway.add(told.completed);
    const { hostname, port } = told.remoteAddr;
    const remote = { host: hostname, port };
    const taken = { bodyAtOnce: arrivedBody, headersOf: arrivedHeaders };
    const info = { remote, bodyWithin() {}, ...taken, lasts() {} };
    const answer = this.#options.fetch(request, info);
    return this.#isStopping ? lastAnswer(answer) : answer;
  }

  /** Another server on the same port. The old one ends with what it is answering. */
  async #turn(): Promise<void> {
    void this.#server.shutdown();
    const { hostname: host, port } = this.#address;
    while (!this.#isStopping) {
      await pause(retryMs);
      try {
        this.#server = this.#listen({ host, port, ...(this.#tls && { tls: this.#tls }) });
        return;
      } catch (thrown) {
        this.#options.onTrouble(asError(thrown));
      }
    }
  }
}
