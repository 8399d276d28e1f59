/**
 * HTTP on Deno, a connection at a time: accepted here, and then handed to Deno's server.
 *
 * @module
 */
import type { HttpOptions, HttpServer } from "../../ports/http.ts";
import type { TlsIdentity } from "../../ports/tls.ts";
import { systemClock } from "../clock.ts";
import { Crowd, type Guest } from "./crowd.ts";
import { arrivedBody, arrivedHeaders } from "./inner_request.ts";
import { asError, flushMs, lastAnswer, listenFor, pause, retryMs } from "./listen.ts";

type Connection = Deno.TcpConn | Deno.TlsConn;
/** `completed` is made when it is asked for, and costs a small send a twentieth of its time. */
type Told = { readonly completed: Promise<void> };
type Handler = (request: Request, told: Told) => Response | Promise<Response>;
type Served = { readonly finished: Promise<void> };

/** Deno's server for one connection. Of the signal it uses one method, and that once. */
export type ServeConnection = (
  connection: Connection,
  signal: Pick<AbortSignal, "addEventListener">,
  handler: Handler,
  onError: (error: unknown) => Response,
  onListen: () => void,
) => Served;

/** The longest time between two looks for those who ask nothing. */
const lookMsMax = 1_000;
/** No file is left for a connection: one of so many who ask nothing is cut, so that some are. */
const roomShare = 8;

/**
 * Deno's own function, which its server for `node:http` once stood on and its tests call; it is not
 * documented. `null`: this Deno has none.
 */
export function connectionServer(): ServeConnection | null {
  const key: unknown = Reflect.get(Deno, "internal");
  const inside: unknown = typeof key === "symbol" ? Reflect.get(Deno, key) : undefined;
  if (typeof inside !== "object" || inside === null) return null;
  const serve: unknown = Reflect.get(inside, "serveHttpOnConnection");
  return typeof serve === "function" ? serve as ServeConnection : null;
}

/** Listens at once. */
export class EachServer implements HttpServer {
  readonly #options: HttpOptions;
  readonly #serve: ServeConnection;
  readonly #crowd: Crowd;
  readonly #looking: ReturnType<typeof setInterval>;
  readonly #address: Deno.NetAddr;
  /** `null` while the keys are replaced, and after the stop. */
  #listener: Deno.Listener<Connection> | null;
  #accepting: Promise<void>;
  #isStopping = false;
  readonly #lasting = new WeakSet<Response>();
  readonly #lasts = (answer: Response) => void this.#lasting.add(answer);

  /** @throws {Error} The address cannot be had; `code` says why. */
  constructor(options: HttpOptions, serve: ServeConnection) {
    this.#options = options;
    this.#serve = serve;
    this.#crowd = new Crowd(options.bounds);
    this.#listener = listenFor(options);
    this.#address = this.#listener.addr as Deno.NetAddr;
    this.#accepting = this.#accept(this.#listener);
    const lookMs = Math.min(lookMsMax, options.bounds.headMsMax / 4);
    this.#looking = setInterval(() => this.#crowd.cutSilent(systemClock.monotonicMs()), lookMs);
  }

  get address() {
    return { host: this.#address.hostname, port: this.#address.port };
  }

  /** Between the listeners lies a moment in which a connection is refused, as in a restart. */
  async replaceTls(tls: TlsIdentity): Promise<void> {
    await this.#close();
    const { hostname: host, port } = this.#address;
    while (!this.#isStopping) {
      try {
        this.#listener = listenFor({ host, port, tls });
        this.#accepting = this.#accept(this.#listener);
        return;
      } catch (thrown) {
        this.#options.onTrouble(asError(thrown));
        await pause(retryMs);
      }
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#close();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#crowd.whenCalm(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    await pause(flushMs);
    clearInterval(this.#looking);
    this.#crowd.cutAll(true);
  }

  async #close(): Promise<void> {
    this.#listener?.close();
    this.#listener = null;
    // The port is free when the last accept has ended.
    await this.#accepting;
  }

  async #accept(listener: Deno.Listener<Connection>): Promise<void> {
    while (true) {
      try {
        this.#open(await listener.accept());
      } catch (thrown) {
        if (this.#listener !== listener) return;
        this.#options.onTrouble(asError(thrown));
        this.#crowd.makeRoom(Math.ceil(this.#crowd.count / roomShare));
        await pause(retryMs);
      }
    }
  }

  #open(connection: Connection): void {
    const cut = new Cut();
    const guest = this.#crowd.enter(() => cut.cut(), systemClock.monotonicMs());
    if (guest === null) {
      connection.close();
      return;
    }
    const { finished } = this.#serve(
      connection,
      cut,
      this.#handler(connection, guest),
      this.#options.onError,
      () => {},
    );
    // However it ended: what concerns a request was told to its own signal.
    const leave = () => guest.leave();
    finished.then(leave, leave);
  }

  #handler(connection: Connection, guest: Guest): Handler {
    const { hostname: host, port } = connection.remoteAddr as Deno.NetAddr;
    const info = {
      remote: { host, port },
      bodyWithin: guest.within,
      bodyAtOnce: arrivedBody,
      headersOf: arrivedHeaders,
      lasts: this.#lasts,
    };
    const { fetch } = this.#options;
    const end = () => guest.end(systemClock.monotonicMs());
    const given = (response: Response, told: Told) => {
      // What is given whole is Deno's to send; what lasts has its end, and so has the last of all.
      if (this.#lasting.has(response) || this.#isStopping) told.completed.then(end, end);
      else end();
      return response;
    };
    const failed = (thrown: unknown): never => {
      end();
      throw thrown;
    };
    return (request, told) => {
      guest.begin();
      let answer: Response | Promise<Response>;
      try {
        answer = fetch(request, info);
      } catch (thrown) {
        return failed(thrown);
      }
      const whole = answer instanceof Promise
        ? answer.then((response) => given(response, told), failed)
        : given(answer, told);
      return this.#isStopping ? lastAnswer(whole) : whole;
    };
  }
}

/**
 * A signal for the one who listens to it. A real one would report what its listener throws, which
 * ends the process: and it throws when the connection is over already.
 */
class Cut implements Pick<AbortSignal, "addEventListener"> {
  #listener: () => void = () => {};

  addEventListener(_type: string, listener: unknown): void {
    this.#listener = listener as () => void;
  }

  cut(): void {
    try {
      this.#listener();
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
    }
  }
}
